package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"printq/printer"
	"printq/printer/device"
	"printq/printer/head"
)

// headFlags are those of a print head.
type headFlags struct {
	listen, device, data, secretFile string
}

func newHeadCmd() *cobra.Command {
	f := new(headFlags)
	c := &cobra.Command{
		Use:   "head --device URI --data DIR [--listen ADDR]",
		Short: "Run a print head: the fence beside a printer that has none",
		Long: `head runs on the machine that the printer is connected to, and drives it alone. It keeps in DIR what came out, in a store that is synced
before each step that cannot be taken back, so that a cluster can print on it exactly, whichever of its members dies. The members reach it as
head://HOST:PORT.

Its key and its secret are made in DIR at the first start. Give each member the secret, with printq serve --device-secrets.`,
		Example: `  printq head --listen :8634 --device file:/dev/usb/lp0 --data /var/lib/printq-head
  printq printer set receipts --device head://till-3:8634`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), c.ErrOrStderr()) },
	}
	p := c.Flags()
	p.StringVar(&f.listen, "listen", "127.0.0.1:8634", "address for the cluster's members")
	p.StringVar(&f.device, "device", "", "the printer: file:/dev/usb/lp0, socket://HOST")
	p.StringVar(&f.data, "data", "", "data directory; made where it is missing. Losing it makes this another head")
	p.StringVar(&f.secretFile, "secret-file", "", "file that holds the secret (default DIR/secret, made where it is missing)")
	return c
}

func (f *headFlags) run(ctx context.Context, stderr io.Writer) error {
	switch {
	case f.device == "":
		return usage("--device is missing: say which printer, as in --device file:/dev/usb/lp0")
	case f.data == "":
		return usage("--data is missing: say where the head keeps its mark")
	}
	opened, err := printer.Open(f.device)
	if err != nil {
		return usage("--device: %v", err)
	}
	stream, ok := opened.(device.Stream)
	if !ok {
		return usage("--device %s needs no head: give it to the cluster's members as it is", f.device)
	}
	certificate, identity, err := head.LoadKey(f.data)
	if err != nil {
		return err
	}
	secret, err := f.secret()
	if err != nil {
		return err
	}
	server, err := head.NewServer(identity, head.Options{Dir: f.data, Printer: stream, URI: f.device, Secret: secret, Version: version})
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	err = f.serve(ctx, server, certificate, logger, identity)
	return errors.Join(err, server.Close())
}

func (f *headFlags) serve(ctx context.Context, server *head.Server, c tls.Certificate, logger *slog.Logger, identity string) error {
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listen at %s: %w: choose another with --listen", f.listen, err)
	}
	h := &http.Server{Handler: server, TLSConfig: head.TLSConfig(c), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	logger.Info("print head", "version", version, "listen", l.Addr(), "device", f.device, "data", f.data, "identity", identity)
	done := make(chan error, 1)
	go func() { done <- h.ServeTLS(l, "", "") }()
	select {
	case <-ctx.Done():
		logger.Info("stopping: the page under way has 5 s")
	case <-server.Failed():
		err = server.Err()
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if h.Shutdown(stop) != nil {
		_ = h.Close()
	}
	<-done
	return err
}

// secret reads the secret, and makes one where it is the head's own to make.
func (f *headFlags) secret() (string, error) {
	path := f.secretFile
	if path == "" {
		path = filepath.Join(f.data, "secret")
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && f.secretFile == "" {
		raw = []byte(rand.Text())
		err = os.WriteFile(path, raw, 0o600)
	}
	secret := strings.TrimSpace(string(raw))
	switch {
	case err != nil:
		return "", fmt.Errorf("the head's secret: %w", err)
	case secret == "":
		return "", fmt.Errorf("the head's secret: %s is empty", path)
	}
	return secret, nil
}
