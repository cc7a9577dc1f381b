package ipp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

func handshake(ctx context.Context, conn net.Conn, config *tls.Config, limit time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	secure := tls.Client(conn, config)
	err := secure.HandshakeContext(ctx)
	if err == nil {
		return secure, nil
	}
	_ = conn.Close() // nothing was sent on it
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && len(bad.UnverifiedCertificates) > 0 {
		err = fmt.Errorf("%w; if this is the printer, add ?pin=%s to its URI, or ?ca=FILE with the certificate that signed its own",
			err, fingerprint(bad.UnverifiedCertificates[0]))
	}
	return nil, &dialError{fmt.Errorf("TLS: %w", err)}
}

// fingerprint is the SHA-256 of a certificate's public key, in hex.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// tls is how the printer is recognized.
func (a *Address) tls() (*tls.Config, error) {
	host, _, _ := net.SplitHostPort(a.Host)
	config := &tls.Config{ServerName: host}
	if a.CA != "" {
		file, err := os.ReadFile(a.CA)
		if err != nil {
			return nil, fmt.Errorf("certificates: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(file) {
			return nil, fmt.Errorf("certificates: %s holds none in PEM", a.CA)
		}
	}
	if a.Pin != nil {
		config.InsecureSkipVerify = true // what is checked instead is stricter: the key itself
		config.VerifyConnection = func(s tls.ConnectionState) error {
			seen := sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo)
			if subtle.ConstantTimeCompare(seen[:], a.Pin) != 1 {
				return fmt.Errorf("the printer's key is %x, not the one pinned; if it was given a new one, write ?pin=%[1]x", seen)
			}
			return nil
		}
	}
	return config, nil
}
