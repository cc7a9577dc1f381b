package http

import (
	"encoding/json"
	"errors"
	nethttp "net/http"
	"strconv"
	"time"

	"printq/http/api"
	"printq/node"
)

// A response writes one answer: the headers that every answer carries, and a write deadline that moves on as long as the
// client takes something.
type response struct {
	nethttp.ResponseWriter
	server  *Server
	client  *client // nil: nobody watches the connection
	started time.Time
	// Where in the log the answer stands; zero: at what is applied when it is written.
	at node.Position
	// 0 until the header is written.
	status  int
	written int64
	// When the write deadline was last moved; zero: never, it was set when the request came.
	moved time.Time
}

var (
	typeJSON    = []string{"application/json"}
	typeProblem = []string{api.TypeProblem}
	noSniff     = []string{"nosniff"}
	noStore     = []string{"no-store"}
	lastAnswer  = []string{"close"}
)

// WriteHeader makes a response an nethttp.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if status >= 200 && w.status == 0 {
		w.status = status
		if w.at == (node.Position{}) {
			w.at = w.server.node.Applied()
		}
		h := w.Header()
		h[api.HeaderIndex] = []string{strconv.FormatUint(w.at.Index, 10)}
		h[api.HeaderTerm] = []string{strconv.FormatUint(w.at.Term, 10)}
		h[api.HeaderMember] = w.server.member
		h["X-Content-Type-Options"] = noSniff
		if w.server.stopping.Err() != nil {
			h["Connection"] = lastAnswer
		}
		w.keepAlive()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write makes a response an nethttp.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(nethttp.StatusOK)
	}
	if w.written > 32<<10 {
		w.keepAlive()
	}
	n, err := w.ResponseWriter.Write(p)
	w.written += int64(n)
	return n, err
}

// Unwrap lets nethttp.ResponseController find the connection.
func (w *response) Unwrap() nethttp.ResponseWriter { return w.ResponseWriter }

// keepAlive moves the write deadline once a quarter of it has passed, so that short answers never pay for it.
func (w *response) keepAlive() {
	last := w.moved
	if last.IsZero() {
		last = w.started
	}
	if now := time.Now(); now.Sub(last) > w.server.options.WriteTimeout/4 {
		w.moved = now
		// A writer without deadlines (a test's recorder) has no client that could be slow.
		_ = nethttp.NewResponseController(w.ResponseWriter).SetWriteDeadline(now.Add(w.server.options.WriteTimeout))
	}
}

// readUntil sets the read deadline of the connection; zero: none.
func (w *response) readUntil(t time.Time) {
	// A writer without deadlines (a test's recorder) has its whole body in memory.
	_ = nethttp.NewResponseController(w.ResponseWriter).SetReadDeadline(t)
}

// json answers with a value of package api.
func (w *response) json(status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.body(status, typeJSON, append(body, '\n'))
	return nil
}

func (w *response) body(status int, contentType []string, body []byte) {
	h := w.Header()
	h["Content-Type"] = contentType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if _, set := h["Cache-Control"]; !set {
		h["Cache-Control"] = noStore
	}
	w.WriteHeader(status)
	// An error is the client's having left.
	_, _ = w.Write(body)
}

// fail answers with the problem that err is. Where the answer has begun, all that is left is to break the connection, so
// that nobody takes it for whole.
func (w *response) fail(r *nethttp.Request, err error) {
	if w.status != 0 {
		if !errors.Is(err, errGone) {
			w.server.options.Logger.Warn("an answer was cut short", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		panic(nethttp.ErrAbortHandler)
	}
	p := problemOf(err, changes(r.Method))
	if p.Status == nethttp.StatusServiceUnavailable {
		w.Header()["Retry-After"] = []string{"1"}
	}
	var method *methodError
	if errors.As(err, &method) {
		w.Header()["Allow"] = method.allow
	}
	if p.Status == nethttp.StatusInternalServerError {
		w.server.options.Logger.Error("request ended in a fault", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	body, _ := json.Marshal(p) // a struct of strings and numbers
	w.body(p.Status, typeProblem, append(body, '\n'))
}

func changes(method string) bool { return method != nethttp.MethodGet && method != nethttp.MethodHead }
