package http

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"printq/http/api"
	"printq/queue"
)

func TestListPagesThroughEverythingOnce(t *testing.T) {
	f := newFake("p", "q")
	for i := range 25 {
		f.submit2([]string{"p", "q"}[i%2])
	}
	f.end(1, queue.Completed)
	f.end(2, queue.Canceled)
	s := newServer(t, f)
	for _, row := range []struct {
		filter string
		want   int
	}{{"", 25}, {"&printer=p", 13}, {"&state=completed,canceled", 2}, {"&state=pending&printer=q", 11}, {"&user=nobody", 0}} {
		var ids []uint64
		cursor := ""
		for {
			list := decodeAs[api.Jobs](t, ask(s, "GET", "/v1/jobs?limit=4"+row.filter+cursor, ""))
			for _, job := range list.Jobs {
				ids = append(ids, job.ID)
			}
			if cursor = "&cursor=" + list.Cursor; list.Cursor == "" {
				break
			}
		}
		if len(ids) != row.want || !slices.IsSortedFunc(ids, func(a, b uint64) int { return int(b) - int(a) }) {
			t.Errorf("%q: %v", row.filter, ids)
		}
	}
}

func TestLongPoll(t *testing.T) {
	for _, row := range []struct {
		name, query string
		took        time.Duration
		state       string
	}{
		{"changed already", "?index=10&wait=30s", 0, "pending"},
		{"changes", "?index=11&wait=30s", 7 * time.Second, "processing"},
		{"from now", "?wait=30s", 7 * time.Second, "processing"},
		{"does not change in time", "?index=11&wait=3s", 3 * time.Second, "pending"},
		{"no wait", "?index=11", 0, "pending"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake("p")
				f.submit2("p")
				time.AfterFunc(7*time.Second, func() { f.end(1, queue.Processing) })
				start := time.Now()
				w := ask(newServer(t, f), "GET", "/v1/jobs/1"+row.query, "")
				job := decodeAs[api.Job](t, w)
				if took := time.Since(start); took != row.took || job.State != row.state {
					t.Errorf("%s after %v", job.State, took)
				}
				if index := w.Header().Get(api.HeaderIndex); index < fmt.Sprint(job.Changed) {
					t.Errorf("%s is %s, and the job changed at %d: the next poll would return at once", api.HeaderIndex, index, job.Changed)
				}
				time.Sleep(time.Minute) // synctest: let the timer end
			})
		})
	}
}

func TestLongPollsEndWhenTheServerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("p")
		f.submit2("p")
		s := newServer(t, f)
		time.AfterFunc(2*time.Second, s.stop)
		start := time.Now()
		if w := ask(s, "GET", "/v1/jobs/1?wait=5m", ""); w.Code != 200 || time.Since(start) != 2*time.Second {
			t.Errorf("%d after %v", w.Code, time.Since(start))
		}
	})
}

func TestDocument(t *testing.T) {
	f := newFake("p")
	s := newServer(t, f)
	ask(s, "POST", "/v1/printers/p/jobs?format=text/html", "<script>0123456789")
	whole := ask(s, "GET", "/v1/jobs/1/document", "")
	if whole.Code != 200 || whole.Body.String() != "<script>0123456789" {
		t.Fatalf("%d %s", whole.Code, whole.Body)
	}
	checkHeaders(t, whole)
	h := whole.Header()
	if h.Get("Content-Disposition") != "attachment; filename=job-1.bin" || h.Get("X-Content-Type-Options") != "nosniff" ||
		h.Get("Content-Type") != "text/html" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("headers: %v", h)
	}
	etag := h.Get("ETag")
	for _, row := range []struct {
		header, body string
		status       int
	}{
		{"Range: bytes=8-11", "0123", 206},
		{"Range: bytes=-2", "89", 206},
		{"If-None-Match: " + etag, "", 304},
	} {
		w := ask(s, "GET", "/v1/jobs/1/document", "", row.header)
		if w.Code != row.status || w.Body.String() != row.body {
			t.Errorf("%s: %d %q", row.header, w.Code, w.Body)
		}
	}
	w := ask(s, "GET", "/v1/jobs/1/document", "", "Range: bytes=99-")
	if p := decodeAs[api.Problem](t, w); w.Code != 416 || p.Type != api.ProblemRange || w.Header().Get("Content-Range") != "bytes */18" {
		t.Errorf("beyond the end: %d %+v %v", w.Code, p, w.Header())
	}
	f.jobs[0].DocumentGone = true
	if w := ask(s, "GET", "/v1/jobs/1/document", ""); w.Code != 410 {
		t.Errorf("gone: %d", w.Code)
	}
}

func TestEvents(t *testing.T) {
	f := newFake("p")
	for range 3 {
		f.log(700, "p", 99)
		f.submit2("p")
	}
	f.log(600, "p", 2)
	f.end(2, queue.Completed)
	f.log(50, "p", 99)
	s := newServer(t, f)
	for id, want := range map[int]int{1: 1, 2: 602, 3: 1} {
		w := ask(s, "GET", fmt.Sprintf("/v1/jobs/%d/events", id), "")
		if got := strings.Count(w.Body.String(), fmt.Sprintf(`"job":%d,`, id)); w.Code != 200 || got != want || strings.Count(w.Body.String(), "\n") != want {
			t.Errorf("job %d: %d, %d lines, want %d", id, w.Code, got, want)
		}
	}
	f.oldest = 1500
	if w := ask(s, "GET", "/v1/jobs/2/events", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"seq":2104,`) {
		t.Errorf("trimmed: %d %s", w.Code, w.Body)
	}
}

func TestActions(t *testing.T) {
	for _, row := range []struct{ action, body, state string }{
		{"cancel", ``, "canceled"},
		{"hold", `{"by":"eve","why":"lunch"}`, "held"},
		{"release", `{}`, "pending"},
		{"move", `{"printer":"q","force":true}`, "pending"},
		{"resolve", `{"printed":0}`, "pending"},
		{"resolve", `{"reprint_from":3,"by":"eve"}`, "pending"},
		{"resolve", `{"done":true}`, "pending"},
	} {
		f := newFake("p", "q")
		f.submit2("p")
		w := ask(newServer(t, f), "POST", "/v1/jobs/1/"+row.action, row.body, "Content-Type: application/x-www-form-urlencoded")
		if job := decodeAs[api.Job](t, w); w.Code != 200 || job.State != row.state {
			t.Errorf("%s: %d %s", row.action, w.Code, w.Body)
		}
		checkHeaders(t, w)
	}
	f := newFake("p")
	f.submit2("p")
	for range 2 {
		w := ask(newServer(t, f), "POST", "/v1/jobs/1/reprint", `{"from":1}`, "Idempotency-Key: again")
		if job := decodeAs[api.Job](t, w); w.Code != 201 || job.ID != 2 || w.Header().Get("Location") != "/v1/jobs/2" {
			t.Errorf("reprint: %d %s", w.Code, w.Body)
		}
	}
}

func TestPrinters(t *testing.T) {
	f := newFake("p")
	s := newServer(t, f, func(o *Options) {
		o.CheckDevice = func(uri string) error {
			if !strings.HasPrefix(uri, "tray:") {
				return fmt.Errorf("%q: write tray:DIR", uri)
			}
			return nil
		}
	})
	step := func(method, target, body string, status int) *httptest.ResponseRecorder {
		t.Helper()
		w := ask(s, method, target, body)
		if w.Code != status {
			t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
		checkHeaders(t, w)
		return w
	}
	step("PUT", "/v1/printers/q", `{"device":"lpt1"}`, 400)
	w := step("PUT", "/v1/printers/q", `{"device":"tray:/a","keep":"2h","by":"eve"}`, 200)
	if p := decodeAs[api.Printer](t, w); p.Device != "tray:/a" || p.State != "idle" || len(p.Status) != 1 {
		t.Errorf("set: %+v", p)
	}
	if list := decodeAs[api.Printers](t, step("GET", "/v1/printers", "", 200)); len(list.Printers) != 2 {
		t.Errorf("list: %+v", list)
	}
	if p := decodeAs[api.Printer](t, step("POST", "/v1/printers/q/pause", "", 200)); !p.Paused || p.State != "stopped" {
		t.Errorf("pause: %+v", p)
	}
	step("POST", "/v1/printers/q/resume", "", 200)
	step("PUT", "/v1/printers/r", `{"device":"tray:/r","offers":{"sides":"one-sided,two-sided-long-edge"}}`, 200)
	step("PUT", "/v1/printers/r", `{"device":"tray:/r","offers":{"sheets":"many"}}`, 400)
	if p := decodeAs[api.Printer](t, step("POST", "/v1/printers/q/reject", "", 200)); p.Accepting {
		t.Errorf("reject: %+v", p)
	}
	if p := decodeAs[api.Printer](t, step("POST", "/v1/printers/q/accept", "", 200)); !p.Accepting {
		t.Errorf("accept: %+v", p)
	}
	if p := decodeAs[api.Printer](t, step("POST", "/v1/printers/q/default", "", 200)); !p.Default {
		t.Errorf("default: %+v", p)
	}
	if p := decodeAs[api.Printer](t, step("POST", "/v1/printers/q/describe", `{"info":"Colour","location":""}`, 200)); p.Info != "Colour" {
		t.Errorf("describe: %+v", p)
	}
	step("POST", "/v1/printers/q/describe", `{"info":"`+strings.Repeat("x", 128)+`"}`, 400)
	step("POST", "/v1/printers/q/describe", `{"colour":"yes"}`, 400)
	step("POST", "/v1/printers/q/adopt", `{"why":"new tray"}`, 200)
	if job := decodeAs[api.Job](t, step("POST", "/v1/printers/q/test", `{"by":"eve"}`, 201)); job.Pages != 1 || job.User != "eve" {
		t.Errorf("test page: %+v", job)
	}
	step("DELETE", "/v1/printers/q", "", 204)
	step("GET", "/v1/printers/q", "", 404)
	step("POST", "/v1/printers/q/test", "", 404)
}
