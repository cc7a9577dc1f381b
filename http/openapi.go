package http

import (
	_ "embed"
	nethttp "net/http"
)

// The interface as OpenAPI 3.1. A test holds it against the routes and against real answers.
//
//go:embed openapi.json
var openapiJSON []byte

func (s *Server) openapi(w *response, r *nethttp.Request) error {
	w.Header()["Cache-Control"] = []string{"no-cache"}
	w.body(nethttp.StatusOK, typeJSON, openapiJSON)
	return nil
}
