package http

import (
	"net"
	nethttp "net/http"
	"strings"

	"printq/http/quick"
)

// front accepts the connections of l, answers small submits there, and hands on what else comes. Both go through [Server.serve].
func (s *Server) front(l net.Listener, state func(net.Conn, nethttp.ConnState)) *quick.Front {
	submit, batch := s.quickly("/v1/printers/{printer}/jobs", s.submit), s.quickly("/v1/printers/{printer}/jobs:batch", s.batch)
	return quick.New(l, quick.Options{
		Route: func(r *nethttp.Request) quick.Handler {
			switch name, action := printerIn(r.URL.Path); {
			case name == "":
			case action == "jobs" && !waits(r):
				return submit
			case action == "jobs:batch":
				return batch
			}
			return nil
		},
		HeaderTimeout: s.options.HeaderTimeout, IdleTimeout: s.options.IdleTimeout, WriteTimeout: s.options.WriteTimeout,
		RequestTimeout: s.options.CommitTimeout, ConnState: state, Logger: s.options.Logger,
	})
}

func (s *Server) quickly(path string, h handler) quick.Handler {
	rt := s.newRoute(path)
	return func(rw nethttp.ResponseWriter, r *nethttp.Request) {
		if !s.foreign(rw, r) {
			s.serve(rt, rw, r, h)
		}
	}
}

// waits: the submit may ask to be answered when its job has ended. Only net/http notices meanwhile that the client has left.
func waits(r *nethttp.Request) bool {
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/") {
		return true // a field of the form may
	}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, _, _ := strings.Cut(pair, "="); name == "wait" || strings.Contains(name, "%") {
			return true
		}
	}
	return false
}
