package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// renewalTime is how soon a certificate that was put in the place of another is shown to clients.
const renewalTime = 10 * time.Second

// A servedPair is a certificate and its key in files that somebody else renews. Connections that are open keep what they began with.
type servedPair struct {
	cert, key string
	logger    *slog.Logger
	now       atomic.Pointer[tls.Certificate]
	// As they were before they were last read. Only watch reads and writes it, once open has.
	seen [2]fs.FileInfo
}

// openPair reads the files; each must be there, and the key the certificate's.
func openPair(cert, key string, logger *slog.Logger) (*servedPair, error) {
	p := &servedPair{cert: cert, key: key, logger: logger}
	_, err := p.refresh()
	return p, err
}

// certificate is tls.Config's GetCertificate.
func (p *servedPair) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return p.now.Load(), nil
}

// watch takes up what is changed, until ctx ends.
func (p *servedPair) watch(ctx context.Context) {
	tick := time.NewTicker(renewalTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.look()
		}
	}
}

// look says once what cannot be used, and leaves the certificate as it was: between two renames the key is another certificate's.
func (p *servedPair) look() {
	switch changed, err := p.refresh(); {
	case changed && err != nil:
		p.logger.Warn("the certificate was changed, and cannot be used: the one before stays", "cert", p.cert, "key", p.key, "error", err)
	case changed:
		p.logger.Info("the certificate was renewed", "cert", p.cert, "until", p.now.Load().Leaf.NotAfter)
	}
}

// refresh reads the files if they are not those that were read last. They are looked at before they are read: what changes meanwhile is read
// again.
func (p *servedPair) refresh() (changed bool, err error) {
	var now [2]fs.FileInfo
	for i, name := range []string{p.cert, p.key} {
		info, errFile := os.Stat(name)
		now[i], err = info, errors.Join(err, errFile)
	}
	if same(now[0], p.seen[0]) && same(now[1], p.seen[1]) {
		return false, err
	}
	p.seen = now
	if err != nil {
		return true, err
	}
	c, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err == nil {
		p.now.Store(&c)
	}
	return true, err
}

// same reports whether nothing was put in a file's place, nor written to it; nil is a file that is not there.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
