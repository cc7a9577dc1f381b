package quick

import (
	"net/http"
	"net/textproto"
	"strings"
)

const (
	// maxHead is how long a head may be, with what comes along of its body: the room that a connection has.
	maxHead = 4 << 10
	// maxBody is how long a body may be.
	maxBody = 256 << 10
	// maxFields is how many fields a head may have.
	maxFields = 32
)

// parse reads a head, without the empty line at its end, into r, whose URL and Header are there to be filled. It reports false for whatever
// is not POST of a plain path with HTTP/1.1, a Host, and a Content-Length that is not zero; for each field that says something about the
// connection, the body's framing or the protocol; for fields given twice; and for whatever could be read in two ways.
func parse(head string, r *http.Request) bool {
	line, fields, _ := strings.Cut(head, "\r\n")
	target, ok := strings.CutPrefix(line, "POST ")
	if !ok {
		return false
	}
	if target, ok = strings.CutSuffix(target, " HTTP/1.1"); !ok || !setTarget(target, r) {
		return false
	}
	clear(r.Header)
	r.Host, r.ContentLength = "", 0
	values := make([]string, 0, 8)
	for fields != "" {
		var field string
		field, fields, _ = strings.Cut(fields, "\r\n")
		name, value, ok := strings.Cut(field, ":")
		if !ok || len(values) == maxFields || !plainName(name) {
			return false
		}
		if value = strings.Trim(value, " "); !plainText(value) {
			return false
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		if r.Header[name] != nil || !setField(name, value, r) {
			return false
		}
		values = append(values, value)
		r.Header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	delete(r.Header, "Host") // as net/http does
	return r.Host != "" && r.ContentLength > 0
}

// setTarget takes a path of plain letters, and a query.
func setTarget(target string, r *http.Request) bool {
	path, query, asked := strings.Cut(target, "?")
	if asked == (query == "") || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return false
	}
	for i := range len(path) {
		if c := path[i]; !alphanumeric(c) && !strings.Contains("/-._~:", path[i:i+1]) {
			return false
		}
	}
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return false
		}
	}
	r.RequestURI, r.URL.Path, r.URL.RawQuery = target, path, query
	return true
}

// setField takes note of what the fields that matter here say.
func setField(name, value string, r *http.Request) bool {
	switch name {
	case "Host":
		r.Host = value
		return plainHost(value)
	case "Content-Length":
		r.ContentLength = length(value)
		return r.ContentLength > 0
	case "Connection":
		return strings.EqualFold(value, "keep-alive")
	case "Transfer-Encoding", "Trailer", "Te", "Expect", "Upgrade", "Keep-Alive", "Proxy-Connection", "Http2-Settings", "Pragma":
		return false
	}
	return true
}

// length is a Content-Length; 0 where it is none, or too much.
func length(value string) (n int64) {
	if len(value) > 7 || strings.HasPrefix(value, "0") {
		return 0
	}
	for i := range len(value) {
		if value[i] < '0' || value[i] > '9' {
			return 0
		}
		n = 10*n + int64(value[i]-'0')
	}
	if n > maxBody {
		return 0
	}
	return n
}

func plainName(name string) bool {
	for i := range len(name) {
		if !alphanumeric(name[i]) && name[i] != '-' {
			return false
		}
	}
	return name != ""
}

// plainText is printable ASCII.
func plainText(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] >= 0x7f {
			return false
		}
	}
	return true
}

func plainHost(host string) bool {
	for i := range len(host) {
		if !alphanumeric(host[i]) && !strings.Contains("-.:[]_", host[i:i+1]) {
			return false
		}
	}
	return host != ""
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
