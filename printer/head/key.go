package head

import (
	"crypto/tls"
	"fmt"
	"path/filepath"

	"printq/printer/selfsigned"
)

// LoadKey reads the head's key and certificate from DIR/head.pem, and makes them where they are missing. They are the head's identity:
// with another key it is another head.
func LoadKey(dir string) (tls.Certificate, string, error) {
	c, err := selfsigned.Load(filepath.Join(dir, "head.pem"), "printq head")
	if err != nil {
		return c, "", fmt.Errorf("the head's key: %w", err)
	}
	return c, Identity(c.Leaf), nil
}

// TLSConfig is that of a head's listener.
func TLSConfig(c tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{c}}
}
