package fetch

import (
	"context"
	"errors"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"printq/http/fetch/fetchtest"
)

func fetcher(t *testing.T, places ...string) *Fetcher {
	t.Helper()
	f, err := New(places...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t *testing.T, f *Fetcher, uri string) (string, error) {
	t.Helper()
	r, err := f.Open(t.Context(), uri)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// TestPlaces: what is not in a place that was allowed is not asked for.
func TestPlaces(t *testing.T) {
	f := fetcher(t, "http://docs.example/labels/", "https://docs.example:8443", "ftp://old.example/pub/form.pdf")
	for uri, want := range map[string]error{
		"http://docs.example/labels/a.pdf":           nil,
		"http://DOCS.example:80/labels/b/c.pdf?x=1":  nil,
		"https://docs.example:8443/any/thing":        nil,
		"ftp://old.example/pub/form.pdf":             nil,
		"ftp://old.example/pub/form.pdf.secret":      ErrPlace,
		"http://docs.example/labels":                 ErrPlace,
		"http://docs.example/labelsecret/a":          ErrPlace,
		"http://docs.example/labels/../secret":       ErrPlace,
		"http://docs.example/labels/%2e%2e/secret":   ErrPlace,
		"http://docs.example/labels/..%2fsecret":     ErrPlace,
		`http://docs.example/labels/..%5csecret`:     ErrPlace,
		"http://docs.example:8080/labels/a.pdf":      ErrPlace,
		"http://docs.example.evil.example/labels/a":  ErrPlace,
		"http://docs.example@evil.example/labels/a":  ErrPlace,
		"http://ann:secret@docs.example/labels/a":    ErrPlace,
		"http://169.254.169.254/labels/a":            ErrPlace,
		"https://docs.example/labels/a.pdf":          ErrPlace,
		"ftp://old.example/pub/form.pdf%0d%0aDELE a": ErrPlace,
		"file:///etc/passwd":                         ErrScheme,
		"bogus://bogus":                              ErrScheme,
		"":                                           ErrScheme,
		"http://[":                                   ErrPlace,
	} {
		if err := f.Check(uri); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", uri, err, want)
		}
	}
	if s := f.Schemes(); !slices.Equal(s, []string{"http", "https", "ftp"}) {
		t.Errorf("schemes %v", s)
	}
}

func TestNoPlaces(t *testing.T) {
	for _, text := range []string{"", "docs.example", "file:///", "http://", "http://a@b/", "http://b/?q", "http://b/a/../c", "gopher://b/"} {
		if _, err := New(text); err == nil {
			t.Errorf("%q is taken for a place", text)
		}
	}
}

func TestHTTP(t *testing.T) {
	mux := nethttp.NewServeMux()
	elsewhere := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { t.Error("a foreign server was asked") }))
	defer elsewhere.Close()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("/docs/a.pdf", func(w nethttp.ResponseWriter, _ *nethttp.Request) { io.WriteString(w, "a document") })
	mux.Handle("/docs/moved", nethttp.RedirectHandler("/docs/a.pdf", nethttp.StatusFound))
	mux.Handle("/docs/away", nethttp.RedirectHandler(elsewhere.URL+"/docs/a.pdf", nethttp.StatusFound))
	mux.Handle("/docs/out", nethttp.RedirectHandler("/secret", nethttp.StatusFound))
	mux.Handle("/docs/round", nethttp.RedirectHandler("/docs/round", nethttp.StatusFound))
	mux.HandleFunc("/docs/short", func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Length", "99")
		io.WriteString(w, "half")
	})
	mux.HandleFunc("/secret", func(nethttp.ResponseWriter, *nethttp.Request) { t.Error("what is outside of the place was asked for") })
	f := fetcher(t, server.URL+"/docs/")
	for path, want := range map[string]string{"a.pdf": "a document", "moved": "a document"} {
		if got, err := read(t, f, server.URL+"/docs/"+path); got != want || err != nil {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for path, want := range map[string]error{"away": ErrPlace, "out": ErrPlace, "none": ErrAccess, "round": ErrAccess, "short": io.ErrUnexpectedEOF} {
		if got, err := read(t, f, server.URL+"/docs/"+path); !errors.Is(err, want) {
			t.Errorf("%s: %q, %v, want %v", path, got, err, want)
		}
	}
}

func TestFTP(t *testing.T) {
	server := fetchtest.Serve(t, map[string]string{"docs/a.pdf": "a document", "docs/cut": "half" + fetchtest.CutShort})
	f := fetcher(t, "ftp://"+server.Addr+"/docs/")
	if got, err := read(t, f, "ftp://"+server.Addr+"/docs/a.pdf"); got != "a document" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if said := strings.Join(server.Said(), "\n"); said != "USER anonymous\nPASS printq@\nTYPE I\nEPSV\nRETR docs/a.pdf" {
		t.Errorf("it was asked:\n%s", said)
	}
	for path, want := range map[string]error{"none": ErrAccess, "cut": ErrAccess} {
		if _, err := read(t, f, "ftp://"+server.Addr+"/docs/"+path); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestEnds: a server that says nothing is not waited for longer than the caller waits.
func TestEnds(t *testing.T) {
	silent := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() }))
	defer silent.Close()
	_, addr, _ := strings.Cut(silent.URL, "//")
	f := fetcher(t, silent.URL, "ftp://"+addr)
	for _, uri := range []string{silent.URL + "/a", "ftp://" + addr + "/a"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := f.Open(ctx, uri); !errors.Is(err, ErrAccess) {
			t.Errorf("%s: %v", uri, err)
		}
		cancel()
	}
}
