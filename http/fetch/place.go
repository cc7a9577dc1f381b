package fetch

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// ports are the schemes, and what they mean where no port is said.
var ports = map[string]string{"http": "80", "https": "443", "ftp": "21"}

// A place is where documents may be fetched from: all that is below it.
type place struct {
	scheme, host string // the host with its port
	path         string // ends in a slash, or is a document's
}

func parsePlace(text string) (place, error) {
	u, err := url.Parse(text)
	if err != nil || ports[u.Scheme] == "" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !plain(u.Path) {
		return place{}, fmt.Errorf("%.256q is no place that documents are fetched from: want http://HOST/FOLDER/, https or ftp", text)
	}
	p := place{scheme: u.Scheme, host: hostOf(u), path: u.Path}
	if p.path == "" {
		p.path = "/"
	}
	return p, nil
}

func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// plain: a path has nothing that a server could take for a way out of its folder, or for the end of a command.
func plain(path string) bool {
	if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	return !slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." })
}

func (p place) has(u *url.URL) bool {
	if u.Scheme != p.scheme || hostOf(u) != p.host || u.User != nil || !plain(u.Path) {
		return false
	}
	return u.Path == p.path || strings.HasSuffix(p.path, "/") && strings.HasPrefix(u.Path, p.path)
}
