package http

import (
	"io"
	nethttp "net/http"
	"strings"
)

// isIPP: IPP is told by its type, on any path (RFC 8010 §3.4.1), except below /v1 where it would be a document.
func isIPP(r *nethttp.Request) bool {
	return r.Method == nethttp.MethodPost && strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "application/ipp") &&
		!strings.HasPrefix(r.URL.Path, "/v1/")
}

// An ippBody is a request's body that may come as slowly as any other.
type ippBody struct {
	*bodyReader
	io.Closer
}
