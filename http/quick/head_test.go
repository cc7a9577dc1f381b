package quick

import (
	"bufio"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func newRequest() *http.Request { return &http.Request{URL: new(url.URL), Header: make(http.Header)} }

const plain = "POST /v1/printers/p/jobs?name=a%20b HTTP/1.1\r\nHost: localhost:6310\r\nContent-Type: text/plain\r\nidempotency-key:  k 1 \r\nContent-Length: 1024"

var taken = []string{
	plain,
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
	"POST /a:b HTTP/1.1\r\nHOST: [::1]:80\r\ncontent-LENGTH:262144\r\nConnection: Keep-Alive\r\nAccept: */*\r\nX-Empty:",
	"POST /a/../b//c HTTP/1.1\r\nContent-Length: 9\r\nHost: x_y.local\r\nAuthorization: Bearer a=b;c",
}

// What is left to net/http: some of it is a fault, some of it only not the usual.
var left = map[string]string{
	"another method":           "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
	"a method in small":        "post / HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
	"an older protocol":        "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 1",
	"a space too many":         "POST /  HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
	"a space in the target":    "POST /a b HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
	"an absolute target":       "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
	"an authority":             "POST //a/b HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
	"an escaped path":          "POST /%61 HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
	"an empty query":           "POST /? HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
	"a fragment":               "POST /?a#b HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
	"no host":                  "POST / HTTP/1.1\r\nContent-Length: 1",
	"an empty host":            "POST / HTTP/1.1\r\nHost:\r\nContent-Length: 1",
	"two hosts":                "POST / HTTP/1.1\r\nHost: a\r\nHost: a\r\nContent-Length: 1",
	"an odd host":              "POST / HTTP/1.1\r\nHost: a@b\r\nContent-Length: 1",
	"no length":                "POST / HTTP/1.1\r\nHost: a",
	"two lengths":              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1",
	"two lengths in one":       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1",
	"no body":                  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0",
	"a signed length":          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1",
	"a length with zeros":      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 01",
	"a length in hexadecimal":  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1",
	"a long body":              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 262145",
	"a length beyond numbers":  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617",
	"chunks":                   "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked",
	"chunks and a length":      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
	"chunks, and a blank":      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding : chunked",
	"trailers":                 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTrailer: X",
	"an expectation":           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue",
	"an upgrade":               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nUpgrade: h2c",
	"the last request":         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close",
	"fields of the connection": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: keep-alive, X",
	"a folded field":           "POST / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\nContent-Length: 1",
	"a bare newline":           "POST / HTTP/1.1\r\nHost: a\r\nX: a\nContent-Length: 5\r\nContent-Length: 1",
	"a bare return":            "POST / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\nContent-Length: 1",
	"a null byte":              "POST / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\nContent-Length: 1",
	"a field without a colon":  "POST / HTTP/1.1\r\nHost: a\r\nX\r\nContent-Length: 1",
	"a field without a name":   "POST / HTTP/1.1\r\nHost: a\r\n: a\r\nContent-Length: 1",
	"a field given twice":      "POST / HTTP/1.1\r\nHost: a\r\nX: a\r\nx: b\r\nContent-Length: 1",
	"a field beyond ASCII":     "POST / HTTP/1.1\r\nHost: a\r\nX: \xe9\r\nContent-Length: 1",
	"many fields":              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1" + manyFields(),
}

func manyFields() (fields string) {
	for i := range maxFields {
		fields += "\r\nX-" + strings.Repeat("a", i+1) + ": a"
	}
	return fields
}

func TestParse(t *testing.T) {
	for _, head := range taken {
		if !agrees(t, head) {
			t.Errorf("%q is left to net/http", head)
		}
	}
	for name, head := range left {
		if parse(head, newRequest()) {
			t.Errorf("%s: it is taken", name)
		}
	}
}

// agrees reports whether parse takes a head. If so, net/http must take it for the same request.
func agrees(t *testing.T, head string) bool {
	t.Helper()
	got := newRequest()
	if !parse(head, got) {
		return false
	}
	body := strings.Repeat("x", int(got.ContentLength))
	want, err := http.ReadRequest(bufio.NewReaderSize(strings.NewReader(head+"\r\n\r\n"+body+"POST / HTTP/1.1\r\n\r\n"), 64))
	if err != nil {
		t.Fatalf("%q: net/http: %v", head, err)
	}
	if want.Method != "POST" || want.Proto != "HTTP/1.1" || want.Host != got.Host || want.RequestURI != got.RequestURI || *want.URL != *got.URL ||
		!reflect.DeepEqual(want.Header, got.Header) {
		t.Fatalf("%q\ngot  %+v\nwant %+v", head, got, want)
	}
	if want.ContentLength != got.ContentLength || want.TransferEncoding != nil || want.Trailer != nil || want.Close {
		t.Fatalf("%q: where its body ends is not beyond doubt: %+v", head, want)
	}
	return true
}

// FuzzParse: what is taken here is nothing else for net/http.
func FuzzParse(f *testing.F) {
	for _, head := range taken {
		f.Add(head)
	}
	for _, head := range left {
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, head string) {
		if head, _, _ = strings.Cut(head, "\r\n\r\n"); len(head) < maxHead {
			agrees(t, head)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	r := newRequest()
	b.ReportAllocs()
	for b.Loop() {
		if !parse(plain, r) {
			b.Fatal("it is left to net/http")
		}
	}
}
