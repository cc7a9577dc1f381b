package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"printq/http"
	"printq/http/dnssd"
	"printq/http/fetch"
	"printq/http/ipp"
	"printq/http/lpd"
	"printq/http/raw"
	"printq/node"
)

// frontFlags are those of the front ends beside HTTP.
type frontFlags struct {
	raw       []string
	lpd       string
	ipp       string
	ipps      string
	cert, key string
	advertise bool
	fetchFrom []string
}

func (f *frontFlags) register(c *cobra.Command) {
	p := c.Flags()
	p.StringArrayVar(&f.raw, "raw", nil, "take bare documents (port 9100) for a printer: HOST:PORT=PRINTER; may be repeated")
	p.StringVar(&f.lpd, "lpd", "", "address for LPD clients (port 515)")
	p.StringVar(&f.ipp, "ipp", "", "another address for IPP clients (port 631); they are served at --http, too")
	p.StringVar(&f.ipps, "ipps", "", "another address, for IPP and HTTP clients that encrypt")
	p.StringVar(&f.cert, "tls-cert", "", "PEM file with the certificate of --ipps (default: one that this member makes)")
	p.StringVar(&f.key, "tls-key", "", "PEM file with its key")
	p.StringArrayVar(&f.fetchFrom, "fetch-from", nil,
		"let IPP clients name documents below this URI, which this server then fetches: http://HOST/FOLDER/, https or ftp; may be repeated")
	p.BoolVar(&f.advertise, "advertise", false, "tell the local network of the printers (DNS-SD, Bonjour), while this member leads")
}

// A front is a listener beside HTTP's, and what serves it.
type front struct {
	// Of raw.
	printer  string
	flag     string
	listener net.Listener
	serve    func(context.Context, net.Listener) error
}

func (f *frontFlags) check(insecure bool) error {
	for _, text := range f.raw {
		addr, printer, err := splitRaw(text)
		if err != nil {
			return err
		}
		if err := checkFront("--raw", addr, insecure); err != nil {
			return err
		}
		if printer == "" {
			return usage("--raw is %q: it names no printer: want HOST:PORT=PRINTER", text)
		}
	}
	if _, err := f.fetcher(); err != nil {
		return err
	}
	if err := f.checkCertificate(); err != nil {
		return err
	}
	for flag, addr := range map[string]string{"--lpd": f.lpd, "--ipp": f.ipp, "--ipps": f.ipps} {
		if addr == "" {
			continue
		}
		if err := checkFront(flag, addr, insecure); err != nil {
			return err
		}
	}
	return nil
}

// fetcher fetches from where --fetch-from says.
func (f *frontFlags) fetcher() (*fetch.Fetcher, error) {
	fetcher, err := fetch.New(f.fetchFrom...)
	if err != nil {
		return nil, usage("--fetch-from: %v", err)
	}
	return fetcher, nil
}

func splitRaw(text string) (addr, printer string, err error) {
	addr, printer, found := strings.Cut(text, "=")
	if !found {
		return "", "", usage("--raw is %q: want HOST:PORT=PRINTER, such as 127.0.0.1:9100=labels", text)
	}
	return addr, printer, nil
}

func checkFront(flag, addr string, insecure bool) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return usage("%s is %q: want HOST:PORT, such as 127.0.0.1:9100", flag, addr)
	}
	if !insecure && !http.IsLoopback(addr) {
		return usage("%s is %s, which other hosts reach, and there is no password: use a loopback address, or say --insecure", flag, addr)
	}
	return nil
}

// listen takes the ports.
func (f *frontFlags) listen() (fronts []front, err error) {
	add := func(flag, addr, printer string) error {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return portError(flag, addr, err)
		}
		fronts = append(fronts, front{flag: flag, printer: printer, listener: l})
		return nil
	}
	for _, text := range f.raw {
		addr, printer, err := splitRaw(text)
		if err != nil {
			return fronts, err
		}
		if err := add("--raw", addr, printer); err != nil {
			return fronts, err
		}
	}
	if f.lpd != "" {
		err = add("--lpd", f.lpd, "")
	}
	if f.ipp != "" && err == nil {
		err = add("--ipp", f.ipp, "")
	}
	if f.ipps != "" && err == nil {
		err = add("--ipps", f.ipps, "")
	}
	return fronts, err
}

func closeFronts(fronts []front) (err error) {
	for _, f := range fronts {
		err = errors.Join(err, f.listener.Close())
	}
	return err
}

// frontOptions are what they have in common with HTTP.
type frontOptions struct {
	maxDocument int64
	timeout     time.Duration
	insecure    bool
	certificate func() (certificateSource, error)
}

// assemble makes the servers for the listeners.
func (f *frontFlags) assemble(m *memberProcess, o frontOptions) error {
	for i := range m.fronts {
		t := &m.fronts[i]
		if t.flag == "--ipp" {
			t.serve = m.server.Serve
			continue
		}
		if t.flag == "--ipps" {
			t.serve = func(ctx context.Context, l net.Listener) error { return m.serveTLS(ctx, l, o.certificate) }
			continue
		}
		if t.flag == "--raw" {
			s, err := raw.New(raw.Options{
				Node: m.node, Printer: t.printer, MaxDocument: o.maxDocument, CommitTimeout: o.timeout, Insecure: o.insecure, Logger: m.logger,
			})
			if err != nil {
				return err
			}
			t.serve = s.Serve
			continue
		}
		s, err := lpd.New(lpd.Options{Node: m.node, MaxDocument: o.maxDocument, CommitTimeout: o.timeout, Insecure: o.insecure, Logger: m.logger})
		if err != nil {
			return err
		}
		t.serve = s.Serve
	}
	return nil
}

// advertiser tells of the printers of the HTTP server that listens at addr.
func (m *memberProcess) advertiser(addr net.Addr, printing *ipp.Handler) (*dnssd.Advertiser, error) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("--advertise: %s is not an address of TCP", addr)
	}
	at := tcp.AddrPort()
	a, err := dnssd.New(dnssd.Options{
		Node: m.node, Addr: netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), TLSPort: m.tlsPort(), Host: dnssd.HostLabel(at.Port()), Logger: m.logger,
		Describe: func(p *node.PrinterStatus, host string, secure bool) dnssd.Printer {
			return dnssd.Printer{Name: ipp.DNSSDName(p), Text: printing.TXT(p, host, secure)}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("--advertise: %w", err)
	}
	return a, nil
}

// advertisedHost is the name that --advertise gives the HTTP server at addr.
func advertisedHost(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return ""
	}
	return dnssd.HostLabel(tcp.AddrPort().Port()) + ".local"
}

// serveClients serves HTTP and the front ends until ctx ends, or one of them fails.
func (m *memberProcess) serveClients(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return m.server.Serve(ctx, m.listener) })
	if m.dnssd != nil {
		group.Go(func() error {
			if err := m.dnssd.Run(ctx); err != nil { // printing goes on
				m.logger.Error("the printers are no longer advertised", "error", err)
			}
			return nil
		})
	}
	for _, f := range m.fronts {
		m.logger.Info("listening", "for", strings.TrimPrefix(f.flag, "--"), "on", f.listener.Addr(), "printer", f.printer)
		group.Go(func() error { return f.serve(ctx, f.listener) })
	}
	return group.Wait()
}
