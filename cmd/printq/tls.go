package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"

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

// certificate is the administrator's, or the member's own, in its data directory. Names are what clients call the member by.
func (f *frontFlags) certificate(data string, names []string) (tls.Certificate, error) {
	if f.cert != "" {
		return tls.LoadX509KeyPair(f.cert, f.key)
	}
	hosts := append([]string{"localhost", "127.0.0.1", "::1"}, names...)
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	if host, _, err := net.SplitHostPort(f.ipps); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	return selfsigned.Load(filepath.Join(data, "ipps.pem"), "printq", hosts...)
}

// serveTLS serves clients that encrypt, once the data directory is this member's: its certificate may be made there.
func (m *memberProcess) serveTLS(ctx context.Context, l net.Listener, certificate func() (tls.Certificate, error)) error {
	select {
	case <-m.node.Started():
	case <-ctx.Done():
		return l.Close()
	}
	c, err := certificate()
	if err != nil {
		l.Close()
		return fmt.Errorf("the certificate of --ipps: %w", err)
	}
	whole, key := sha256.Sum256(c.Leaf.Raw), sha256.Sum256(c.Leaf.RawSubjectPublicKeyInfo)
	m.logger.Info("clients may encrypt", "on", l.Addr(), "certificate_sha256", fmt.Sprintf("%x", whole), "key_sha256", fmt.Sprintf("%x", key),
		"until", c.Leaf.NotAfter)
	return m.server.ServeTLS(ctx, l, &tls.Config{Certificates: []tls.Certificate{c}})
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
