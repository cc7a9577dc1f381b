package http

import (
	nethttp "net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the server's own. Those of the node are read when they are asked for.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	tailsCut prometheus.Counter
	scrape   nethttp.Handler
	codes    [600]string
	// What has no route of its own.
	refused, ipp *route
}

// routeMetrics are one route's part, so that a request looks no label up but its status.
type routeMetrics struct {
	codes    *[600]string
	requests *prometheus.CounterVec
	seconds  prometheus.Observer
}

func newMetrics(s *Server) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "printq_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "printq_http_request_seconds", Help: "Time from a request's header to the end of its answer, tails included.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30, 60, 300},
		}, []string{"route"}),
		tailsCut: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "printq_http_tails_cut_total", Help: "Log tails that ended because their client left or took nothing.",
		}),
		scrape: promhttp.HandlerFor(s.options.Registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}),
	}
	for code := range m.codes {
		m.codes[code] = strconv.Itoa(code)
	}
	all := append([]prometheus.Collector{
		m.requests, m.seconds, m.tailsCut, gauge("printq_http_tails", "Log tails open now.", s.tails.Load),
		gauge("printq_http_requests", "Requests under way now, without tails.", s.requests.Load),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newNodeCollector(s.node),
	}, s.options.Collectors...)
	for _, c := range all {
		if err := s.options.Registry.Register(c); err != nil {
			return nil, err
		}
	}
	m.refused = &route{path: "none", routeMetrics: m.route("none")}
	m.ipp = &route{path: "ipp", open: &s.requests, limit: int64(s.options.MaxRequests), routeMetrics: m.route("ipp")}
	return m, nil
}

func gauge(name, help string, value func() int64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

func (m *metrics) route(path string) *routeMetrics {
	return &routeMetrics{&m.codes, m.requests.MustCurryWith(prometheus.Labels{"route": path}), m.seconds.WithLabelValues(path)}
}

// observe counts a request that has ended. One without a status was cut.
func (m *routeMetrics) observe(w *response) {
	m.requests.WithLabelValues(m.codes[max(0, min(w.status, len(m.codes)-1))]).Inc()
	m.seconds.Observe(time.Since(w.started).Seconds())
}

func (s *Server) scrape(w *response, r *nethttp.Request) error {
	s.metrics.scrape.ServeHTTP(w, r)
	return nil
}
