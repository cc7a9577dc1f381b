// Package dnssd tells the local network of the printers: DNS-SD (RFC 6763) over multicast DNS (RFC 6762), so that they show up
// by themselves in print dialogs (Bonjour, AirPrint, IPP Everywhere, Mopria).
//
// Each printer is an instance of _ipp._tcp, with the subtypes _print and _universal, and of _ipps._tcp where the server has TLS.
// Its name, UUID and TXT record are the same whichever member speaks.
//
// # Who speaks
//
// An instance has one name, and its SRV record is unique to one responder: two members that answered with different hosts would
// be a conflict (RFC 6762 §9), and caches would flip between them. So only the leader advertises. What follows from that:
//
//  1. A member that begins to lead looks whether somebody else has the name (§8.1), and announces its own host with the
//     cache-flush bit (§10.2): what caches know of the leader before goes, within two seconds of the election. Clients that come
//     to the old address until then reach a member that takes jobs, too, if it lives.
//  2. A leader that is dead or cut off says nothing. What is known of it goes with the next leader, or without one after two
//     minutes, which its SRV and address records live.
//  3. A member that stops in order says goodbye (§10.1), and one that has only lost the leadership does not: the records are
//     the next one's. Who has taken over and hears a late goodbye announces again.
//  4. If another device has the name, the printer is not advertised, the log says so, and once a minute it is tried again. It is
//     not renamed: its name is the same everywhere. A printer of ours is known by its UUID.
//  5. Printers that come and go show within a second.
//
// The host is a name of this package's own, HOSTNAME-printq-PORT.local, beside the one that the system's own responder
// (Avahi, mDNSResponder) has for the same addresses: nothing of it is withdrawn when printq stops.
//
// Messages go over IPv4, on the interfaces that had the server's address when it started; IPv6 addresses are told, too. Answers are
// not delayed at random, and what was just multicast is not multicast again within a second, however often it is asked for.
package dnssd

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"

	"printq/node"
)

// A Node is the member that this package speaks for.
type Node interface {
	// Printers lists them by name.
	Printers() ([]node.PrinterStatus, error)
	Cluster() node.ClusterStatus
}

// A Printer is how one is advertised.
type Printer struct {
	// At most 63 bytes.
	Name string
	// The TXT record's strings, at most 255 bytes each. UUID= is what the printer is recognised by.
	Text []string
}

// Options of an Advertiser. All are required but TLSPort and Logger.
type Options struct {
	Node Node
	// Describe is how a printer is advertised for clients that reach this server at host, with port.
	Describe func(p *node.PrinterStatus, host string, secure bool) Printer
	// Where the HTTP server listens. An unspecified address stands for those of all interfaces but loopback.
	Addr netip.AddrPort
	// Where it listens with TLS, on the same addresses. 0: nowhere.
	TLSPort uint16
	// The label of the host's name; HostLabel makes one.
	Host string
	// nil: slog.Default().
	Logger *slog.Logger
}

func (o *Options) fill() error {
	if o.Node == nil || o.Describe == nil || !o.Addr.IsValid() || o.Addr.Port() == 0 {
		return errors.New("dnssd: options need a node, a description and an address with a port")
	}
	if o.Host == "" || len(o.Host) > maxLabel || strings.ContainsAny(o.Host, ".\\") {
		return fmt.Errorf("dnssd: the host is %q: it must be one label", o.Host)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}

// maxLabel is the longest label of a DNS name.
const maxLabel = 63

// HostLabel is a name for this host and port, without .local.
func HostLabel(port uint16) string {
	name, err := os.Hostname()
	if err != nil {
		name = "host"
	}
	name, _, _ = strings.Cut(name, ".")
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, name)
	rest := fmt.Sprintf("-printq-%d", port)
	return name[:min(len(name), maxLabel-len(rest))] + rest
}
