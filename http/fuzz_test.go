package http

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"printq/http/api"
)

// Whatever a client says, the answer is an answer: no panic, no fault, and a problem where it is an error.
func fuzzed(t *testing.T, method, path, query, body, header, value string) {
	u := &url.URL{Path: path, RawQuery: query}
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	r.URL, r.Host = u, "localhost"
	r.Header.Set(header, value)
	f := newFake("p")
	f.submit2("p")
	w := httptest.NewRecorder()
	newServer(t, f).Handler().ServeHTTP(w, r)
	if w.Code >= 500 || w.Code < 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w.Code >= 400 {
		var p api.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Detail == "" {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("/v1/jobs", "limit=3&state=held,pending&cursor=YjM", "")
	f.Add("/v1/jobs/1", "index=3&consistency=stale", "")
	f.Add("/v1/log", "from=beginning&format=sse&printer=p", "7")
	f.Add("/v1/printers/p/jobs", "copies=2&hold&ttl=3h&priority=1", "")
	f.Fuzz(func(t *testing.T, path, query, last string) {
		if strings.Contains(query, "wait") || strings.Contains(query, "follow") || strings.Contains(query, "%") {
			return // they take their time, as they should
		}
		for _, method := range []string{"GET", "POST"} {
			fuzzed(t, method, path, query, "", "Last-Event-ID", last)
		}
	})
}

func FuzzBody(f *testing.F) {
	f.Add("/v1/jobs/1/resolve", `{"printed":3,"by":"x"}`, "application/json")
	f.Add("/v1/jobs/1/move", `{"printer":"p"}`, "")
	f.Add("/v1/printers/p/jobs", "a\fb", "text/plain; charset=x")
	f.Add("/v1/printers/p/jobs:batch", "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b")
	f.Add("/v1/printers/p/jobs", "--b\r\n\r\nx\r\n--b--\r\n", "multipart/mixed; boundary=b")
	f.Fuzz(func(t *testing.T, path, body, kind string) {
		for _, method := range []string{"POST", "PUT"} {
			fuzzed(t, method, path, "", body, "Content-Type", kind)
		}
	})
}
