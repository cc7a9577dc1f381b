package head

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"printq/printer/device"
	"printq/queue"
)

// A Device is a print head as the driver has it: a device.Fenced.
type Device struct {
	base   string
	secret string
	pin    string
	client *http.Client

	mu       sync.Mutex // guards identity
	identity string     // of who answered the last handshake
	opened   string     // of who answered Open
}

var _ device.Fenced = (*Device)(nil)

// New is the head at host:port. Pin, where it is not empty, is the identity that it must have: without, the first that answers is
// taken, and the log remembers it.
func New(address, secret, pin string) *Device {
	d := &Device{base: "https://" + address, secret: secret, pin: pin}
	d.client = &http.Client{Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * Patience, MaxConnsPerHost: 2, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS13,
			InsecureSkipVerify: true, // its certificate is its own: known looks at the key
			VerifyConnection:   d.known,
		},
	}}
	return d
}

// Identity is that of a certificate's owner: the SHA-256 of its public key.
func Identity(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// known checks whom we talk to: the pinned head, or at least the one that was opened.
func (d *Device) known(state tls.ConnectionState) error {
	got := Identity(state.PeerCertificates[0])
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pin != "" && got != d.pin {
		return fmt.Errorf("the head's key is %s, not the pinned one", got)
	}
	d.identity = got
	return nil
}

// Open implements device.Device.
func (d *Device) Open(ctx context.Context, o device.Opening) (device.State, error) {
	var s State
	if err := d.call(ctx, "/v1/open", Open{tokenOf(o.Token), o.Cluster, o.Adopt}, &s); err != nil {
		return device.State{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = d.identity
	return device.State{
		Class: queue.Fenced, Mark: s.Mark.device(), Epoch: s.Epoch, Cluster: s.Cluster, Identity: "head:" + d.identity,
		About: "a print head: " + s.About, Formats: s.Formats,
	}, nil
}

// Close implements device.Fenced.
func (d *Device) Close(ctx context.Context, c device.Closing) (device.Mark, error) {
	var s State
	err := d.call(ctx, "/v1/close", Close{tokenOf(c.Token), c.Epoch, c.Attempt}, &s)
	return s.Mark.device(), err
}

// Print implements device.Fenced.
func (d *Device) Print(ctx context.Context, u device.Unit) error {
	header, err := json.Marshal(Unit{
		Token: tokenOf(u.Token), Epoch: u.Epoch, Attempt: u.Attempt, Job: u.Job, Copy: u.Copy, Page: u.Page, PerCopy: u.PerCopy,
		First: u.First, Last: u.Last, Format: u.Format, Size: u.Size,
	})
	if err != nil {
		return fmt.Errorf("encode the unit: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+"/v1/print", io.LimitReader(u.Body, u.Size))
	if err != nil {
		return fmt.Errorf("print at the head: %w", err)
	}
	r.ContentLength = u.Size
	r.Header.Set("Printq-Unit", string(header))
	return d.do(r, nil)
}

// Release implements device.Device.
func (d *Device) Release() error {
	d.client.CloseIdleConnections()
	return nil
}

func (d *Device) call(ctx context.Context, path string, ask, answer any) error {
	body, err := json.Marshal(ask)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask the head: %w", err)
	}
	return d.do(r, answer)
}

func (d *Device) do(r *http.Request, answer any) error {
	r.Header.Set("Authorization", "Bearer "+d.secret)
	resp, err := d.client.Do(r)
	if err != nil {
		var cause *url.Error
		if errors.As(err, &cause) {
			err = cause.Err
		}
		if r.Context().Err() != nil {
			return r.Context().Err()
		}
		return fmt.Errorf("%w: print head %s: %w", device.ErrUnreachable, r.URL.Host, err)
	}
	defer resp.Body.Close()
	if err := d.same(r); err != nil {
		return err
	}
	switch resp.StatusCode {
	case http.StatusNoContent:
		return nil
	case http.StatusOK:
		if err := read(resp.Body, answer); err != nil {
			return fmt.Errorf("%w: print head %s: %w", device.ErrUnreachable, r.URL.Host, err)
		}
		return nil
	case http.StatusUnauthorized:
		return fmt.Errorf("%w: print head %s refuses the secret: give this member the head's with --device-secrets", device.ErrUnreachable, r.URL.Host)
	}
	var p Problem
	if err := read(resp.Body, &p); err != nil {
		return fmt.Errorf("%w: print head %s answered %s: %w", device.ErrUnreachable, r.URL.Host, resp.Status, err)
	}
	return errorOf(p)
}

// same: the head that answers is the one that was opened.
func (d *Device) same(r *http.Request) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.URL.Path != "/v1/open" && d.opened != "" && d.identity != d.opened {
		return fmt.Errorf("%w: another head answers at %s now", device.ErrRefused, r.URL.Host)
	}
	return nil
}
