package http

import (
	"fmt"
	"net"
	nethttp "net/http"
	"net/netip"
	"net/url"
	"strings"
)

// A guard refuses what a browser sends on behalf of a foreign page. A page whose name was made to resolve to our address
// (DNS rebinding) gives itself away by its Host, any other by its Origin.
type guard struct {
	any bool
	// Lower case, without port.
	names map[string]bool
}

func newGuard(allowed []string) guard {
	g := guard{names: make(map[string]bool)}
	for _, name := range allowed {
		if name == "*" {
			g.any = true
		}
		g.names[strings.ToLower(hostOf(name))] = true
	}
	return g
}

// check is nil for a request that a client of ours made.
func (g *guard) check(r *nethttp.Request) error {
	// HTTP/1.0 has no Host, and no browser speaks it.
	if !g.any && r.Host != "" && !g.ours(hostOf(r.Host), r) {
		return fmt.Errorf("%w: this server is not known as %q: use its address, or start it with --host NAME",
			errForeign, r.Host)
	}
	for _, origin := range r.Header["Origin"] {
		if !g.same(origin, r.Host) {
			return fmt.Errorf("%w: the page at %q may not use this server: open it under the server's own address, "+
				"or start the server with --host NAME", errForeign, origin)
		}
	}
	return nil
}

// same: the page came from this server, or from a name that was allowed. Another port of localhost is another program's page.
func (g *guard) same(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && (strings.EqualFold(u.Host, host) || g.names[strings.ToLower(u.Hostname())])
}

func (g *guard) ours(host string, r *nethttp.Request) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		name := strings.ToLower(strings.TrimSuffix(host, "."))
		return name == "localhost" || g.names[name]
	}
	if ip.Unmap().IsLoopback() || g.names[host] {
		return true
	}
	local, ok := r.Context().Value(nethttp.LocalAddrContextKey).(*net.TCPAddr)
	return ok && local.AddrPort().Addr().Unmap().WithZone("") == ip.Unmap().WithZone("")
}

// hostOf is the host of host, host:port, [v6] or [v6]:port.
func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(addr, "["), "]")
}

// IsLoopback reports whether a listener on addr (host:port) can be reached from this host only. A name other than localhost
// and an empty host cannot be trusted to be so.
func IsLoopback(addr string) bool {
	host := hostOf(addr)
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
