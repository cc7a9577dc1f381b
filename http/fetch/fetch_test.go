package fetch

import (
	"context"
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/textproto"
	"path"
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
	nowhere := fetcher(t)
	for uri, want := range map[string]error{"http://127.0.0.1/a": ErrPlace, "ftp://127.0.0.1/a": ErrPlace, "file:///etc/passwd": ErrScheme} {
		if err := nowhere.Check(uri); !errors.Is(err, want) {
			t.Errorf("without places, %q: %v, want %v", uri, err, want)
		}
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

// FuzzAllowed: what is allowed is on the place's host and port, and in its folder, however it is written.
func FuzzAllowed(f *testing.F) {
	for _, uri := range []string{
		"http://docs.example/labels/a", "http://docs.example:80/labels/%2e%2e/a", "http://docs.example/labels//a", "http://docs.example\\@b/labels/",
		"http://[::1]/labels/", "HTTP://DOCS.EXAMPLE/labels/x", "http://docs.example/labels/a%0a", "//docs.example/labels/a", "http:docs.example/labels/a",
	} {
		f.Add(uri)
	}
	from, err := New("http://docs.example/labels/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		u, err := from.allowed(uri)
		if err != nil {
			return
		}
		r, err := nethttp.NewRequest(nethttp.MethodGet, u.String(), nil)
		if err != nil {
			t.Fatalf("%q is allowed and cannot be asked for: %v", uri, err)
		}
		if host := r.URL.Hostname(); !strings.EqualFold(host, "docs.example") || r.URL.Port() != "" && r.URL.Port() != "80" || r.URL.User != nil {
			t.Errorf("%q is allowed and asks %q", uri, r.URL.Host)
		}
		for _, p := range []string{r.URL.Path, r.URL.EscapedPath()} {
			if clean := path.Clean(p); clean+"/" != "/labels/" && !strings.HasPrefix(clean, "/labels/") {
				t.Errorf("%q is allowed and asks for %q", uri, p)
			}
		}
	})
}

// FuzzTransfer: whatever an FTP server says, a transfer ends, and does not call whole what is not.
func FuzzTransfer(f *testing.F) {
	f.Add("220 a\r\n331 b\r\n230 c\r\n200 d\r\n229 e (|||1|)\r\n")
	f.Add("220-a\r\n220 b\r\n230 c\r\n200 d\r\n229 (|||99999|)\r\n")
	f.Add("220 a\r\n230 c\r\n200 d\r\n229 no\r\n")
	f.Fuzz(func(t *testing.T, said string) {
		client, server := net.Pipe()
		go func() {
			go io.Copy(io.Discard, server)
			io.WriteString(server, said)
			server.Close()
		}()
		x := &transfer{control: textproto.NewConn(client), unwatch: func() bool { return true }}
		// Nobody listens where the server says: what it says gets no document.
		if err := x.begin(t.Context(), nowhere{}, "a"); err == nil {
			t.Error("a document comes from nowhere")
		}
		x.Close()
	})
}

type nowhere struct{}

func (nowhere) Network() string { return "tcp" }
func (nowhere) String() string  { return "240.0.0.1" }
