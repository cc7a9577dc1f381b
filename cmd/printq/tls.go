package main

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"printq/selfsigned"
)

// encryption is how --ipps encrypts; nil: it is not there. Without a certificate of the administrator's the member has one of its own, in
// its data folder: clients know it by what the log says of it here.
func (f *frontFlags) encryption(data string, names []string, logger *slog.Logger) (*tls.Config, error) {
	if f.ipps == "" {
		return nil, nil
	}
	var c tls.Certificate
	var err error
	if f.cert != "" {
		c, err = tls.LoadX509KeyPair(f.cert, f.key)
	} else {
		c, err = selfsigned.Load(filepath.Join(data, "ipps.pem"), "printq", f.hosts(names)...)
	}
	if err != nil {
		return nil, fmt.Errorf("the certificate of --ipps: %w", err)
	}
	certificate, key := sha256.Sum256(c.Leaf.Raw), sha256.Sum256(c.Leaf.RawSubjectPublicKeyInfo)
	logger.Info("encryption", "on", f.ipps, "certificate_sha256", fmt.Sprintf("%x", certificate), "key_sha256", fmt.Sprintf("%x", key), "until", c.Leaf.NotAfter)
	return &tls.Config{Certificates: []tls.Certificate{c}}, nil
}

// hosts are whom a member's own certificate is for.
func (f *frontFlags) hosts(names []string) []string {
	hosts := append([]string{"localhost", "127.0.0.1", "::1"}, names...)
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	if host, _, err := net.SplitHostPort(f.ipps); err == nil && host != "" && host != "127.0.0.1" && host != "localhost" {
		hosts = append(hosts, host)
	}
	return hosts
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
