package ipp

import (
	"crypto/sha1"
	"fmt"
	"net"
	nethttp "net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/OpenPrinting/goipp"
)

// A base is how a client reached this server. The URIs in an answer begin with it, so that they work for that client.
type base struct {
	host   string // with port
	secure bool
}

func baseOf(r *nethttp.Request) base { return baseAt(r.Host, r.TLS != nil) }

// baseAt is the server at a host, which may have a port.
func baseAt(host string, secure bool) base {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return base{host, secure}
	}
	// Without a port, HTTP's is meant; in an ipp URI it would mean 631.
	port := "80"
	if secure {
		port = "443"
	}
	if host == "" {
		host = "localhost"
	}
	return base{net.JoinHostPort(strings.Trim(host, "[]"), port), secure}
}

func (b base) uri(scheme string, path ...string) string {
	if b.secure {
		scheme += "s"
	}
	return (&url.URL{Scheme: scheme, Host: b.host}).JoinPath(path...).String()
}

// encrypted is the same host at its port for clients that encrypt.
func (b base) encrypted(port uint16) base {
	host, _, _ := net.SplitHostPort(b.host)
	return base{host: net.JoinHostPort(host, strconv.Itoa(int(port))), secure: true}
}

func (b base) printer(name string) string { return b.uri("ipp", "ipp", "print", url.PathEscape(name)) }

func (b base) job(id uint64) string { return b.uri("ipp", "jobs", strconv.FormatUint(id, 10)) }

// A target is what a request is about.
type target struct {
	// Empty: every printer, or the only one.
	printer string
	// 0: no job.
	job uint64
}

// target reads printer-uri with job-id, or job-uri. Only a URI's path counts: /ipp/print/NAME, /printers/NAME, /jobs/ID.
func (q *request) target() (t target, err error) {
	if uri, given, err := one[goipp.String](q.operation, "job-uri", goipp.TagURI); given || err != nil {
		if err != nil {
			return t, err
		}
		return jobTarget(string(uri))
	}
	uri, given, err := one[goipp.String](q.operation, "printer-uri", goipp.TagURI)
	if err != nil {
		return t, err
	}
	if !given {
		return t, badRequest("printer-uri is missing: say what the request is about")
	}
	if t, err = printerTarget(string(uri)); err != nil {
		return t, err
	}
	id, given, err := one[goipp.Integer](q.operation, "job-id", goipp.TagInteger)
	if err == nil && given && id < 0 {
		err = badRequest("job-id is %d: it must be at least 1", id)
	}
	// CUPS's cancel -a says job-id 0 where it means none.
	t.job = uint64(max(id, 0))
	return t, err
}

func jobTarget(uri string) (target, error) {
	path, err := pathOf(uri)
	if err != nil {
		return target{}, err
	}
	id, ok := strings.CutPrefix(path, "/jobs/")
	n, err := strconv.ParseUint(id, 10, 31)
	if !ok || err != nil || n == 0 {
		return target{}, fail(goipp.StatusErrorNotFound, "no job has the uri %.256q: it is ipp://HOST/jobs/ID", uri)
	}
	return target{job: n}, nil
}

func printerTarget(uri string) (target, error) {
	path, err := pathOf(uri)
	if err != nil {
		return target{}, err
	}
	for _, prefix := range []string{"/ipp/print", "/printers", "/classes"} {
		name, ok := strings.CutPrefix(path, prefix)
		if ok && (name == "" || name[0] == '/') {
			return target{printer: strings.Trim(name, "/")}, nil
		}
	}
	switch strings.Trim(path, "/") {
	case "", "jobs", "admin", "ipp":
		return target{}, nil
	}
	return target{}, fail(goipp.StatusErrorNotFound, "no printer has the uri %.256q: it is ipp://HOST/ipp/print/NAME", uri)
}

func pathOf(uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", badRequest("the uri %.256q cannot be read: it is ipp://HOST/ipp/print/NAME", uri)
	}
	switch strings.ToLower(u.Scheme) {
	case "ipp", "ipps", "http", "https":
		return u.Path, nil
	}
	return "", fail(goipp.StatusErrorURIScheme, "the uri %.256q: use ipp, ipps, http or https", uri)
}

// uuid is a name-based UUID (RFC 9562 §5.5): the same on every member, and after every restart.
func uuid(cluster, kind, name string) string {
	sum := sha1.Sum(fmt.Appendf(nil, "printq\x00%s\x00%s\x00%s", cluster, kind, name))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
