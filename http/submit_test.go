package http

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime/multipart"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"printq/http/api"
	"printq/queue"
)

func TestSubmit(t *testing.T) {
	const form = "Content-Type: application/x-www-form-urlencoded"
	big := strings.Repeat("one page\f", 40_000)
	for _, row := range []struct {
		name, method, target, body string
		headers                    []string
		want                       api.Job
	}{
		{"plain", "POST", "", "a\fb\f", nil, api.Job{Format: "text/plain", Pages: 2, Units: 2, Copies: 1, Priority: 50}},
		{"as curl sends it", "POST", "", "a=b&c\fd", []string{form}, api.Job{Format: "text/plain", Pages: 2, Units: 2, Copies: 1, Priority: 50}},
		{"put", "PUT", "", "\x1bE", []string{"Content-Type: application/octet-stream"}, api.Job{Format: "application/vnd.hp-pcl", Units: 1, Copies: 1, Priority: 50}},
		{"typed", "POST", "", "x", []string{"Content-Type: Image/JPG; q=1"}, api.Job{Format: "image/jpeg", Pages: 1, Units: 1, Copies: 1, Priority: 50}},
		{"format before type", "POST", "?format=text/plain", "%!x", []string{"Content-Type: application/pdf"}, api.Job{Format: "text/plain", Pages: 1, Units: 1, Copies: 1, Priority: 50}},
		{
			"all said", "POST", "?name=a%20b&user=eve&copies=3&priority=99&hold&ttl=90s", "x", nil,
			api.Job{Format: "text/plain", Pages: 1, Units: 1, Copies: 3, Priority: 99, Name: "a b", User: "eve", TTL: "1m30s"},
		},
		{"large", "POST", "", big, []string{form}, api.Job{Format: "text/plain", Pages: 40_000, Units: 40_000, Copies: 1, Priority: 50}},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFake("p")
			w := ask(newServer(t, f), row.method, "/v1/printers/p/jobs"+row.target, row.body, row.headers...)
			if w.Code != 201 || w.Header().Get("Location") != "/v1/jobs/1" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			checkHeaders(t, w)
			got := decodeAs[api.Job](t, w)
			sum := sha256.Sum256([]byte(row.body))
			if got.SHA256 != hex.EncodeToString(sum[:]) || got.Bytes != uint64(len(row.body)) || string(f.docs[1]) != row.body {
				t.Error("the document is not what was sent")
			}
			want := row.want
			want.ID, want.Printer, want.State, want.Bytes, want.SHA256 = 1, "p", "pending", got.Bytes, got.SHA256
			want.Submitted, want.Attempts, want.Changed = got.Submitted, got.Attempts, got.Changed
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestSubmitOfUnknownLength(t *testing.T) {
	f := newFake("p")
	r := httptest.NewRequest("POST", "/v1/printers/p/jobs", strings.NewReader("a\fb"))
	r.ContentLength, r.Host = -1, "localhost"
	w := httptest.NewRecorder()
	newServer(t, f).Handler().ServeHTTP(w, r)
	if job := decodeAs[api.Job](t, w); w.Code != 201 || job.Pages != 2 || string(f.docs[1]) != "a\fb" {
		t.Errorf("%d %+v", w.Code, job)
	}
}

func TestSubmitTooLarge(t *testing.T) {
	s := newServer(t, newFake("p"), func(o *Options) { o.MaxDocument = 5 })
	for _, length := range []int64{6, -1} {
		r := httptest.NewRequest("POST", "/v1/printers/p/jobs", strings.NewReader("123456"))
		r.ContentLength, r.Host = length, "localhost"
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != 413 {
			t.Errorf("length %d: %d %s", length, w.Code, w.Body)
		}
	}
}

func TestKeys(t *testing.T) {
	s := newServer(t, newFake("p"))
	const target, key = "/v1/printers/p/jobs", "Idempotency-Key: k1"
	first, again, other := ask(s, "POST", target, "x", key), ask(s, "POST", target, "x", key), ask(s, "POST", target, "y", key)
	if first.Code != 201 || first.Header().Get(api.HeaderRepeated) != "" {
		t.Errorf("first: %d", first.Code)
	}
	if again.Code != 201 || again.Header().Get(api.HeaderRepeated) != "true" || again.Body.String() != first.Body.String() {
		t.Errorf("again: %d %s", again.Code, again.Body)
	}
	if other.Code != 422 {
		t.Errorf("other: %d", other.Code)
	}
	if w := ask(s, "POST", target, "x", "Idempotency-Key: "+strings.Repeat("k", 256)); w.Code != 400 {
		t.Errorf("long key: %d", w.Code)
	}
}

// A part of a form: a field, or with file a document.
type part struct{ name, file, kind, key, body string }

func form(t testing.TB, parts ...part) (body, header string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		disposition := fmt.Sprintf("form-data; name=%q", p.name)
		if p.file != "" {
			disposition += fmt.Sprintf("; filename=%q", p.file)
		}
		h.Set("Content-Disposition", disposition)
		if p.kind != "" {
			h.Set("Content-Type", p.kind)
		}
		if p.key != "" {
			h.Set(api.HeaderKey, p.key)
		}
		w, err := m.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(p.body))
	}
	m.Close()
	return b.String(), "Content-Type: " + m.FormDataContentType()
}

func TestForms(t *testing.T) {
	file := part{name: "file", file: `C:\doc\a.txt`, kind: "application/octet-stream", body: "a\fb"}
	for _, row := range []struct {
		name   string
		parts  []part
		status int
		detail string
		want   string // name, copies, pages, format
	}{
		{"one file", []part{file}, 201, "", "a.txt 1 2 text/plain"},
		{"fields around it", []part{{name: "copies", body: "3"}, file, {name: "name", body: "n"}}, 201, "", "n 3 2 text/plain"},
		{"its format", []part{{name: "format", body: "image/png"}, file}, 201, "", "a.txt 1 1 image/png"},
		{"large", []part{{name: "file", file: "l", body: strings.Repeat("p\f", 200<<10)}}, 201, "", "l 1 204800 text/plain"},
		{"format too late", []part{file, {name: "format", body: "image/png"}}, 400, "before", ""},
		{"two files", []part{file, file}, 400, "jobs:batch", ""},
		{"no file", []part{{name: "copies", body: "3"}}, 400, "file=@FILE", ""},
		{"unknown field", []part{{name: "copy", body: "3"}, file}, 400, "copies", ""},
		{"long field", []part{{name: "name", body: strings.Repeat("n", 2000)}, file}, 413, "1023", ""},
		{"empty file", []part{{name: "file", file: "e"}}, 422, "empty", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			body, header := form(t, row.parts...)
			w := ask(newServer(t, newFake("p")), "POST", "/v1/printers/p/jobs", body, header)
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.detail) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if row.want == "" {
				return
			}
			job := decodeAs[api.Job](t, w)
			if got := fmt.Sprint(job.Name, " ", job.Copies, " ", job.Pages, " ", job.Format); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestBatch(t *testing.T) {
	s := newServer(t, newFake("p"))
	body, header := form(t, part{name: "user", body: "eve"}, part{name: "file", file: "1", body: "a\fb"},
		part{name: "file", file: "2"}, part{name: "file", file: "3", body: "x", key: "own"})
	for _, repeated := range []bool{false, true} {
		w := ask(s, "POST", "/v1/printers/p/jobs:batch?copies=2", body, header, "Idempotency-Key: k")
		items := decodeAs[[]api.BatchItem](t, w)
		if w.Code != 200 || len(items) != 3 || items[0].Status != 201 || items[1].Status != 422 || items[2].Status != 201 {
			t.Fatalf("repeated %v: %d %s", repeated, w.Code, w.Body)
		}
		if j := items[0].Job; j.ID != 1 || j.User != "eve" || j.Copies != 2 || j.Pages != 2 || j.Name != "1" {
			t.Errorf("first: %+v", j)
		}
		if items[2].Job.ID != 2 || items[1].Problem.Type != api.ProblemEmpty {
			t.Errorf("others: %+v", items[1:])
		}
	}
	if f := s.node.(*fake); f.keyJobs["k/1"] != 1 || f.keyJobs["own"] != 2 {
		t.Errorf("keys: %v", f.keyJobs)
	}
}

func TestBatchLimits(t *testing.T) {
	many := make([]part, maxBatch+1)
	for i := range many {
		many[i] = part{name: "file", file: "f", body: "x"}
	}
	heavy := make([]part, maxBatchBytes/queue.MaxInline+1)
	for i := range heavy {
		heavy[i] = part{name: "file", file: "f", body: strings.Repeat("x", queue.MaxInline)}
	}
	for name, parts := range map[string][]part{
		"many": many, "heavy": heavy, "large": {{name: "file", file: "f", body: strings.Repeat("x", queue.MaxInline+1)}},
	} {
		f := newFake("p")
		body, header := form(t, parts...)
		w := ask(newServer(t, f), "POST", "/v1/printers/p/jobs:batch", body, header)
		if w.Code != 413 || len(f.jobs) != 0 {
			t.Errorf("%s: %d, %d jobs", name, w.Code, len(f.jobs))
		}
	}
}

func TestWaitForTheEnd(t *testing.T) {
	for _, ends := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake("p")
			s := newServer(t, f)
			if ends {
				time.AfterFunc(5*time.Second, func() { f.end(1, queue.Processing) })
				time.AfterFunc(9*time.Second, func() { f.end(1, queue.Completed) })
			}
			start := time.Now()
			w := ask(s, "POST", "/v1/printers/p/jobs?wait=30s", "x")
			state, took := "completed", 9*time.Second
			if !ends {
				state, took = "pending", 30*time.Second
			}
			if job := decodeAs[api.Job](t, w); w.Code != 201 || job.State != state || time.Since(start) != took {
				t.Errorf("%d %s after %v", w.Code, job.State, time.Since(start))
			}
		})
	}
}

func TestCommitTimeoutIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("p")
		f.hang = true
		s := newServer(t, f)
		w := ask(s, "POST", "/v1/printers/p/jobs", "x")
		if p := decodeAs[api.Problem](t, w); p.Type != api.ProblemUnknown || p.Outcome != "unknown" {
			t.Errorf("submit: %+v", p)
		}
		w = ask(s, "GET", "/v1/jobs", "")
		if p := decodeAs[api.Problem](t, w); p.Type != api.ProblemNoQuorum || !strings.Contains(p.Detail, "stale") {
			t.Errorf("list: %+v", p)
		}
		if w = ask(s, "GET", "/v1/jobs?consistency=stale", ""); w.Code != 200 {
			t.Errorf("stale list: %d", w.Code)
		}
	})
}

func BenchmarkSubmit1KiB(b *testing.B) {
	f := newFake("p")
	f.failing("nothing", nil)
	s := newServer(b, f)
	h := s.Handler()
	body := strings.Repeat("0123456789abcde\n", 64)
	f.submit2("p")
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/v1/printers/p/jobs?name=a", strings.NewReader(body))
		r.Host = "localhost:6310"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 201 {
			b.Fatal(w.Code, w.Body)
		}
	}
}
