package http

import (
	nethttp "net/http"
	"strings"
	"sync/atomic"

	"github.com/gorilla/mux"
)

// A handler answers one request, or returns an error before it has written anything.
type handler func(w *response, r *nethttp.Request) error

// A route is one row of the table below, with its metrics.
type route struct {
	path string
	// What is counted against limit while the request runs; nil: nothing.
	open  *atomic.Int64
	limit int64
	*routeMetrics
}

// routes is the whole interface. The submit comes first: mux tries them in order.
func (s *Server) routes() *mux.Router {
	m := mux.NewRouter().SkipClean(true)
	for _, row := range []struct {
		methods string
		path    string
		handle  handler
	}{
		{"POST PUT", "/v1/printers/{printer}/jobs", s.submit},
		{"GET", "/v1/jobs/{id}", s.job},
		{"GET", "/v1/jobs", s.jobs},
		{"GET", "/v1/log", s.log},
		{"POST", "/v1/printers/{printer}/jobs:batch", s.batch},
		{"GET", "/v1/jobs/{id}/document", s.document},
		{"GET", "/v1/jobs/{id}/events", s.events},
		{"POST", "/v1/jobs/{id}/cancel", s.cancel},
		{"POST", "/v1/jobs/{id}/hold", s.hold},
		{"POST", "/v1/jobs/{id}/release", s.release},
		{"POST", "/v1/jobs/{id}/move", s.move},
		{"POST", "/v1/jobs/{id}/reprint", s.reprint},
		{"POST", "/v1/jobs/{id}/resolve", s.resolve},
		{"GET", "/v1/printers", s.printers},
		{"GET", "/v1/printers/{printer}", s.printer},
		{"PUT", "/v1/printers/{printer}", s.setPrinter},
		{"DELETE", "/v1/printers/{printer}", s.removePrinter},
		{"POST", "/v1/printers/{printer}/pause", s.pausePrinter},
		{"POST", "/v1/printers/{printer}/resume", s.resumePrinter},
		{"POST", "/v1/printers/{printer}/adopt", s.adoptPrinter},
		{"POST", "/v1/printers/{printer}/accept", s.acceptPrinter},
		{"POST", "/v1/printers/{printer}/reject", s.rejectPrinter},
		{"POST", "/v1/printers/{printer}/default", s.defaultPrinter},
		{"POST", "/v1/printers/{printer}/describe", s.describePrinter},
		{"POST", "/v1/printers/{printer}/test", s.testPrinter},
		{"GET", "/v1/cluster", s.cluster},
		{"POST", "/v1/leader/transfer", s.transfer},
		{"GET", "/livez", s.livez},
		{"GET", "/readyz", s.readyz},
		{"GET", "/metrics", s.scrape},
		{"GET", "/openapi.json", s.openapi},
		{"GET", "/icons/{icon}", s.icon},
	} {
		methods := strings.Fields(row.methods)
		if row.methods == "GET" {
			methods = append(methods, "HEAD")
		}
		rt := s.newRoute(row.path)
		m.HandleFunc(row.path, func(rw nethttp.ResponseWriter, r *nethttp.Request) {
			s.serve(rt, rw, r, row.handle)
		}).Methods(methods...)
	}
	m.NotFoundHandler = s.refuse(func(r *nethttp.Request) error { return noRoute(r) })
	m.MethodNotAllowedHandler = s.refuse(func(r *nethttp.Request) error { return wrongMethod(m, r) })
	return m
}

// newRoute says what a route is limited by: a member that is busy must still say that it lives.
func (s *Server) newRoute(path string) *route {
	rt := &route{path: path, open: &s.requests, limit: int64(s.options.MaxRequests), routeMetrics: s.metrics.route(path)}
	switch path {
	case "/v1/log":
		rt.open, rt.limit = &s.tails, int64(s.options.MaxTails)
	case "/livez", "/readyz", "/metrics":
		rt.open = nil
	}
	return rt
}

func (s *Server) refuse(why func(*nethttp.Request) error) nethttp.Handler {
	return nethttp.HandlerFunc(func(rw nethttp.ResponseWriter, r *nethttp.Request) {
		s.serve(s.metrics.refused, rw, r, func(_ *response, r *nethttp.Request) error { return why(r) })
	})
}

// allowed lists the methods that the path has, for the Allow header.
func allowed(m *mux.Router, r *nethttp.Request) []string {
	var methods []string
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE"} {
		other := *r
		other.Method = method
		var match mux.RouteMatch
		if m.Match(&other, &match) && match.MatchErr == nil {
			methods = append(methods, method)
		}
	}
	return methods
}
