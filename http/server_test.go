package http

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"printq/http/api"
	"printq/node"
	"printq/queue"
)

func newServer(t testing.TB, f *fake, change ...func(*Options)) *Server {
	o := Options{Node: f, Member: 2, Version: "test", Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask makes one request without a network. Headers are "Name: value".
func ask(s *Server, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "localhost:6310"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func decodeAs[T any](t testing.TB, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	return v
}

func TestProblems(t *testing.T) {
	fail := func(method string, err error) func() *fake {
		return func() *fake {
			f := newFake("p").failing(method, fmt.Errorf("%w: do this", err))
			f.submit2("p")
			return f
		}
	}
	for _, row := range []struct {
		name                  string
		node                  func() *fake
		method, target, body  string
		status                int
		kind, outcome, detail string
	}{
		{"no quorum", fail("Propose", node.ErrNoQuorum), "POST", "/v1/printers/p/jobs", "x", 503, api.ProblemNoQuorum, "none", "do this"},
		{"unknown", fail("Propose", node.ErrUnknown), "POST", "/v1/printers/p/jobs", "x", 503, api.ProblemUnknown, "unknown", "do this"},
		{"full", fail("Propose", node.ErrFull), "POST", "/v1/printers/p/jobs", "x", 503, api.ProblemFull, "none", "do this"},
		{"stopping", fail("Propose", node.ErrStopping), "POST", "/v1/printers/p/jobs", "x", 503, api.ProblemStopping, "none", "do this"},
		{"format of a small document", fail("Propose", node.ErrFormat), "POST", "/v1/printers/p/jobs", "x", 415, api.ProblemMediaType, "none", "do this"},
		{"format, before a large one", fail("Takes", node.ErrFormat), "POST", "/v1/printers/p/jobs", strings.Repeat("x", queue.MaxInline+1), 415, api.ProblemMediaType, "none", "do this"},
		{"disk full", fail("Propose", node.ErrDiskFull), "POST", "/v1/printers/p/jobs", "x", 507, api.ProblemDiskFull, "none", "do this"},
		{"disk full in an upload", fail("Upload", node.ErrDiskFull), "POST", "/v1/printers/p/jobs", strings.Repeat("x", 300<<10), 507, api.ProblemDiskFull, "none", "do this"},
		{"upload expired", fail("Propose", queue.ErrNoUpload), "POST", "/v1/printers/p/jobs", "x", 503, api.ProblemNoUpload, "none", "do this"},
		{"key reused", fail("Propose", queue.ErrKeyReused), "POST", "/v1/printers/p/jobs", "x", 422, api.ProblemKeyReused, "none", "do this"},
		{"invalid", fail("Propose", queue.ErrInvalid), "POST", "/v1/printers/p/jobs", "x", 400, api.ProblemInvalid, "none", "do this"},
		{"a fault", fail("Propose", io.ErrClosedPipe), "POST", "/v1/printers/p/jobs", "x", 500, api.ProblemInternal, "unknown", "do this"},
		{"made but left", fail("Job", queue.ErrNoJob), "POST", "/v1/printers/p/jobs", "x", 410, api.ProblemJobGone, "done", "do not send it again"},
		{"made but not shown", fail("Job", node.ErrNoQuorum), "POST", "/v1/printers/p/jobs", "x", 500, api.ProblemInternal, "done", "do not send it again"},
		{"empty", nil, "POST", "/v1/printers/p/jobs", "", 422, api.ProblemEmpty, "none", "request's body"},
		{"no printer", nil, "POST", "/v1/printers/q/jobs", "x", 404, api.ProblemNoPrinter, "none", "/v1/printers"},
		{"no printer, before the body", nil, "POST", "/v1/printers/q/jobs", strings.Repeat("x", 300<<10), 404, api.ProblemNoPrinter, "none", "/v1/printers"},
		{"misspelt", nil, "POST", "/v1/printers/p/jobs?copy=2", "x", 400, api.ProblemInvalid, "none", "copies"},
		{"twice", nil, "POST", "/v1/printers/p/jobs?copies=2&copies=3", "x", 400, api.ProblemInvalid, "none", "once"},
		{"copies", nil, "POST", "/v1/printers/p/jobs?copies=0", "x", 400, api.ProblemInvalid, "none", "from 1 to 9999"},
		{"priority", nil, "POST", "/v1/printers/p/jobs?priority=101", "x", 400, api.ProblemInvalid, "none", "from 1 to 100"},
		{"ttl", nil, "POST", "/v1/printers/p/jobs?ttl=-3s", "x", 400, api.ProblemInvalid, "none", "such as 30s"},
		{"not UTF-8", nil, "POST", "/v1/printers/p/jobs?name=%ff", "x", 400, api.ProblemInvalid, "none", "UTF-8"},
		{"control character", nil, "POST", "/v1/printers/p/jobs?user=a%0ab", "x", 400, api.ProblemInvalid, "none", "control"},
		{"no job", nil, "GET", "/v1/jobs/9", "", 404, api.ProblemNoJob, "", "/v1/jobs"},
		{"bad id", nil, "GET", "/v1/jobs/nine", "", 400, api.ProblemInvalid, "", "numbers"},
		{"no quorum to read", fail("Barrier", node.ErrNoQuorum), "GET", "/v1/jobs/1", "", 503, api.ProblemNoQuorum, "", "do this"},
		{"consistency", nil, "GET", "/v1/jobs?consistency=maybe", "", 400, api.ProblemInvalid, "", "linearizable or stale"},
		{"limit", nil, "GET", "/v1/jobs?limit=1001", "", 400, api.ProblemInvalid, "", "1000"},
		{"cursor", nil, "GET", "/v1/jobs?cursor=zz", "", 400, api.ProblemInvalid, "", "without it"},
		{"state", nil, "GET", "/v1/jobs?state=done", "", 400, api.ProblemInvalid, "", "completed"},
		{"damaged", fail("OpenDocument", node.ErrDamaged), "GET", "/v1/jobs/1/document", "", 500, api.ProblemDamaged, "", "do this"},
		{"document gone", fail("OpenDocument", queue.ErrDocumentGone), "GET", "/v1/jobs/1/document", "", 410, api.ProblemDocumentGone, "", "do this"},
		{"state forbids", fail("Propose", queue.ErrState), "POST", "/v1/jobs/1/cancel", "", 409, api.ProblemState, "none", "do this"},
		{"body", nil, "POST", "/v1/jobs/1/move", `{"to":"q"}`, 400, api.ProblemInvalid, "none", "openapi"},
		{"two answers", nil, "POST", "/v1/jobs/1/resolve", `{"printed":1,"done":true}`, 400, api.ProblemInvalid, "none", "reprint_from"},
		{"rest", nil, "POST", "/v1/jobs/1/cancel", `{} {}`, 400, api.ProblemInvalid, "none", "after the object"},
		{"no device", nil, "PUT", "/v1/printers/q", `{}`, 400, api.ProblemInvalid, "none", "tray:DIR"},
		{"in doubt", nil, "PUT", "/v1/printers/q", `{"device":"tray:/x","in_doubt":"guess"}`, 400, api.ProblemInvalid, "none", "reprint"},
		{"path", nil, "GET", "/v2/jobs", "", 404, api.ProblemNoRoute, "", "openapi"},
		{"slashes", nil, "GET", "//v1/jobs", "", 404, api.ProblemNoRoute, "", "openapi"},
		{"method", nil, "DELETE", "/v1/jobs/1", "", 405, api.ProblemMethod, "none", "GET"},
		{"future line", nil, "GET", "/v1/log?from=0", "", 400, api.ProblemInvalid, "", "from 1"},
		{"transfer", fail("Transfer", node.ErrNoQuorum), "POST", "/v1/leader/transfer", `{"to":3}`, 503, api.ProblemNoQuorum, "none", "do this"},
		{"not a form", nil, "POST", "/v1/printers/p/jobs:batch", "x", 415, api.ProblemMediaType, "none", "multipart"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFake("p")
			if row.node != nil {
				f = row.node()
			}
			w := ask(newServer(t, f), row.method, row.target, row.body)
			if w.Code != row.status || w.Header().Get("Content-Type") != api.TypeProblem {
				t.Fatalf("status %d %s, want %d: %s", w.Code, w.Header().Get("Content-Type"), row.status, w.Body)
			}
			p := decodeAs[api.Problem](t, w)
			if p.Type != row.kind || p.Outcome != row.outcome || !strings.Contains(p.Detail, row.detail) || p.Status != row.status {
				t.Errorf("got %+v", p)
			}
			checkHeaders(t, w)
			if row.status == 503 && w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
}

func (f *fake) submit2(printer string) {
	s, _ := New(Options{Node: f, Member: 9})
	saved := f.errs
	f.errs = map[string]error{}
	if w := ask(s, "POST", "/v1/printers/"+printer+"/jobs", "a\fb\f"); w.Code != 201 {
		panic(w.Body.String())
	}
	f.errs = saved
}

func checkHeaders(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	for _, name := range []string{api.HeaderIndex, api.HeaderTerm, api.HeaderMember} {
		if n, err := strconv.Atoi(w.Header().Get(name)); err != nil || n == 0 {
			t.Errorf("%s is %q", name, w.Header().Get(name))
		}
	}
}

func TestMethodNotAllowedNamesTheOthers(t *testing.T) {
	w := ask(newServer(t, newFake("p")), "PATCH", "/v1/printers/p/jobs", "")
	if got := w.Header()["Allow"]; strings.Join(got, " ") != "POST PUT" {
		t.Errorf("Allow: %v", got)
	}
}

func TestForeignHostsAndOrigins(t *testing.T) {
	s := newServer(t, newFake("p"), func(o *Options) { o.AllowedHosts = []string{"print.example"} })
	for _, row := range []struct {
		host, origin string
		status       int
	}{
		{"localhost:6310", "", 200},
		{"LOCALHOST", "", 200},
		{"127.0.0.1:6310", "", 200},
		{"[::1]:6310", "", 200},
		{"print.example:6310", "", 200},
		{"Print.Example.", "", 200},
		{"evil.example", "", 403},
		{"localhost.evil.example", "", 403},
		{"10.1.2.3:6310", "", 403},
		{"localhost:6310", "http://localhost:6310", 200},
		{"localhost:6310", "http://localhost:3000", 403},
		{"localhost:6310", "http://print.example", 200},
		{"localhost:6310", "https://evil.example", 403},
		{"localhost:6310", "null", 403},
		{"localhost:6310", "://", 403},
	} {
		headers := []string{"Host: " + row.host}
		if row.origin != "" {
			headers = append(headers, "Origin: "+row.origin)
		}
		if w := ask(s, "GET", "/livez", "", headers...); w.Code != row.status {
			t.Errorf("host %s origin %s: %d, want %d", row.host, row.origin, w.Code, row.status)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:1": true, "localhost:1": true, "[::1]:1": true, "127.9.9.9:1": true, "[::ffff:127.0.0.1]:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "printer.example:1": false, "": false,
	} {
		if IsLoopback(addr) != want {
			t.Errorf("IsLoopback(%q) is %v", addr, !want)
		}
	}
}

func TestRequestsAreLimitedButHealthIsNot(t *testing.T) {
	f := newFake("p")
	s := newServer(t, f, func(o *Options) { o.MaxRequests, o.MaxTails = 1, 1 })
	s.requests.Add(1)
	s.tails.Add(1)
	for target, status := range map[string]int{
		"/v1/jobs": 503, "/v1/log": 503, "/livez": 200, "/readyz": 200, "/metrics": 200,
	} {
		if w := ask(s, "GET", target, ""); w.Code != status {
			t.Errorf("%s: %d, want %d", target, w.Code, status)
		}
	}
	if s.requests.Load() != 1 || s.tails.Load() != 1 {
		t.Error("a refused request is still counted")
	}
}

func TestHealth(t *testing.T) {
	f := newFake("p").failing("Ready", node.ErrNoQuorum)
	s := newServer(t, f)
	if w := ask(s, "GET", "/livez", ""); w.Code != 200 {
		t.Errorf("livez: %d", w.Code)
	}
	w := ask(s, "GET", "/readyz", "")
	if h := decodeAs[api.Health](t, w); w.Code != 503 || len(h.Reasons) != 1 || h.Status != "not ready" {
		t.Errorf("readyz: %d %+v", w.Code, h)
	}
}

func TestMetrics(t *testing.T) {
	s := newServer(t, newFake("p"))
	ask(s, "POST", "/v1/printers/p/jobs", "x")
	ask(s, "GET", "/nowhere", "")
	text := ask(s, "GET", "/metrics", "").Body.String()
	for _, want := range []string{
		`printq_http_requests_total{code="201",route="/v1/printers/{printer}/jobs"} 1`,
		`printq_http_requests_total{code="404",route="none"} 1`,
		`printq_http_request_seconds_count{route="/v1/printers/{printer}/jobs"} 1`,
		"printq_applied_index 11", "printq_http_tails 0", "go_goroutines",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{}, {Node: newFake()}, {Node: newFake(), Member: 1, BodyTimeout: -1}, {Node: newFake(), Member: 1, MaxTails: -1}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

var _ Node = (*node.Node)(nil)
