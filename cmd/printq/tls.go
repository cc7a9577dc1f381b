package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"printq/printer/selfsigned"
)

// checkCertificate finds what is wrong with an administrator's certificate before anything is touched.
func (f *frontFlags) checkCertificate() error {
	switch {
	case (f.cert == "") != (f.key == ""), f.cert != "" && f.ipps == "":
		return usage("--tls-cert and --tls-key belong together, and to --ipps")
	case f.cert != "":
		if _, err := tls.LoadX509KeyPair(f.cert, f.key); err != nil {
			return usage("--tls-cert and --tls-key: %v", err)
		}
	}
	return nil
}

// A certificateSource is what --ipps shows to its clients: the administrator's certificate, which may change, or the member's own.
type certificateSource struct {
	get func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// nil: it does not change.
	watch func(context.Context)
}

// certificate finds it. The member's own is in its data directory. Names are what clients call the member by.
func (f *frontFlags) certificate(data string, names []string, logger *slog.Logger) (certificateSource, error) {
	if f.cert != "" {
		p, err := openPair(f.cert, f.key, logger)
		return certificateSource{p.certificate, p.watch}, err
	}
	hosts := append([]string{"localhost", "127.0.0.1", "::1"}, names...)
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	if host, _, err := net.SplitHostPort(f.ipps); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	c, err := selfsigned.Load(filepath.Join(data, "ipps.pem"), "printq", hosts...)
	return certificateSource{get: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &c, nil }}, err
}

// serveTLS serves clients that encrypt, once the data directory is this member's: its certificate may be made there.
func (m *memberProcess) serveTLS(ctx context.Context, l net.Listener, certificate func() (certificateSource, error)) error {
	select {
	case <-m.node.Started():
	case <-ctx.Done():
		return l.Close()
	}
	source, err := certificate()
	if err != nil {
		l.Close()
		return fmt.Errorf("the certificate of --ipps: %w", err)
	}
	c, err := source.get(nil)
	if err != nil {
		l.Close()
		return err
	}
	whole, key := sha256.Sum256(c.Leaf.Raw), sha256.Sum256(c.Leaf.RawSubjectPublicKeyInfo)
	m.logger.Info("clients may encrypt", "on", l.Addr(), "certificate_sha256", fmt.Sprintf("%x", whole), "key_sha256", fmt.Sprintf("%x", key),
		"until", c.Leaf.NotAfter)
	group, ctx := errgroup.WithContext(ctx)
	if source.watch != nil {
		group.Go(func() error {
			source.watch(ctx)
			return nil
		})
	}
	group.Go(func() error { return m.server.ServeTLS(ctx, l, &tls.Config{GetCertificate: source.get}) })
	return group.Wait()
}

// tlsPort is where --ipps listens; 0: nowhere.
func (m *memberProcess) tlsPort() uint16 {
	for _, f := range m.fronts {
		if tcp, ok := f.listener.Addr().(*net.TCPAddr); ok && f.flag == "--ipps" {
			return tcp.AddrPort().Port()
		}
	}
	return 0
}
