package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"printq/printer/selfsigned"
)

// TestRenewal: a certificate that is put in the place of another is shown; one that cannot be used is not, and is said once.
func TestRenewal(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"one", "two"} {
		if _, err := selfsigned.Load(path(name), name); err != nil {
			t.Fatal(err)
		}
	}
	// As ACME clients and Kubernetes do it: the name is one of a link.
	put := func(target, link string) {
		t.Helper()
		if err := os.Symlink(path(target), path("new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path("new"), path(link)); err != nil {
			t.Fatal(err)
		}
	}
	put("one", "cert")
	put("one", "key")
	var said bytes.Buffer
	p, err := openPair(path("cert"), path("key"), slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	shown := func(want string, says ...string) {
		t.Helper()
		p.look()
		p.look()
		if c, err := p.certificate(nil); err != nil || c.Leaf.Subject.CommonName != want {
			t.Errorf("shown is %q, %v, want %q", c.Leaf.Subject.CommonName, err, want)
		}
		if strings.Count(said.String(), "\n") != len(says) || !strings.Contains(said.String(), strings.Join(says, "")) {
			t.Errorf("said: %q, want %q", said.String(), says)
		}
		said.Reset()
	}
	shown("one")
	put("two", "cert")
	shown("one", "cannot be used") // the key is still the other's
	put("two", "key")
	shown("two", "was renewed")
	if err := os.Remove(path("cert")); err != nil {
		t.Fatal(err)
	}
	shown("two", "cannot be used")
	put("one", "cert")
	put("one", "key")
	shown("one", "was renewed")
	if err := os.WriteFile(path("one"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	shown("one", "cannot be used")
	if _, err := openPair(path("cert"), path("key"), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a torn file is taken for a certificate")
	}

	put("two", "cert")
	put("two", "key")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			p.watch(ctx)
			close(ended)
		}()
		time.Sleep(renewalTime + time.Nanosecond)
		synctest.Wait()
		if c, err := p.certificate(nil); err != nil || c.Leaf.Subject.CommonName != "two" {
			t.Errorf("shown is %q, %v, after %v", c.Leaf.Subject.CommonName, err, renewalTime)
		}
		cancel()
		<-ended
	})
}
