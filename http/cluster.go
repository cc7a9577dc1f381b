package http

import (
	nethttp "net/http"
	"time"

	"printq/http/api"
)

// cluster is what this member knows, at once: it is asked when there is no quorum.
func (s *Server) cluster(w *response, r *nethttp.Request) error {
	if q := parseQuery(r, "consistency"); q.err != nil {
		return q.err
	}
	return w.json(nethttp.StatusOK, clusterOf(s.node.Cluster(), s.options.Version))
}

func (s *Server) transfer(w *response, r *nethttp.Request) error {
	var v api.Transfer
	if err := s.readJSON(w, r, &v); err != nil {
		return err
	}
	ctx, cancel := s.committing(r.Context())
	defer cancel()
	if err := s.node.Transfer(ctx, v.To); err != nil {
		return outcomeOf(err)
	}
	return w.json(nethttp.StatusOK, clusterOf(s.node.Cluster(), s.options.Version))
}

// livez: the program answers. Whether it can serve is readyz.
func (s *Server) livez(w *response, r *nethttp.Request) error {
	return w.json(nethttp.StatusOK, s.health("ok"))
}

func (s *Server) readyz(w *response, r *nethttp.Request) error {
	health, status := s.health("ok", s.node.Cluster().Alarms...), nethttp.StatusOK
	if err := s.node.Ready(); err != nil {
		health, status = s.health("not ready", append([]string{err.Error()}, health.Reasons...)...), nethttp.StatusServiceUnavailable
	} else if s.stopping.Err() != nil {
		health, status = s.health("not ready", "this member is stopping"), nethttp.StatusServiceUnavailable
	}
	return w.json(status, health)
}

func (s *Server) health(status string, reasons ...string) api.Health {
	return api.Health{Status: status, Reasons: reasons, Member: s.options.Member, Version: s.options.Version, Time: time.Now().UTC()}
}
