// Package client talks to printq servers, any of which answers any request.
//
// What a caller can rely on: a request goes to the server that answered last, and from there to the others when it cannot be
// reached or says 503. It is repeated only where that cannot do it twice: nothing was done, or the request says that it is
// Repeatable (it reads, or carries an idempotency key). The time that goes into repeating is bounded by Timeout.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"printq/http/api"
)

// ErrUnknown: the request may or may not have been carried out. Repeat it with the same key.
var ErrUnknown = errors.New("outcome unknown")

// ErrNoServer: no server could be reached. Nothing was done.
var ErrNoServer = errors.New("no server answers")

// DefaultPort is where a server listens that was named without a port.
const DefaultPort = "8631"

// A Client is safe for concurrent use.
type Client struct {
	servers []string // base URLs
	timeout time.Duration
	http    *http.Client
	current atomic.Uint32
}

// New takes a comma-separated list of HOST, HOST:PORT or URL.
func New(servers string, timeout time.Duration) (*Client, error) {
	c := &Client{timeout: timeout}
	for _, s := range strings.Split(servers, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		base, err := baseURL(s)
		if err != nil {
			return nil, err
		}
		c.servers = append(c.servers, base)
	}
	if len(c.servers) == 0 {
		return nil, errors.New("no server is named: use --server HOST:PORT or PRINTQ_SERVER")
	}
	dialer := &net.Dialer{Timeout: 2 * time.Second}
	c.http = &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1024, WriteBufferSize: 64 << 10, DisableCompression: true},
		// A redirect would be another server's answer to a request that was made to this one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func baseURL(server string) (string, error) {
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("server %q is not HOST:PORT or a URL", server)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), DefaultPort)
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/"), nil
}

// Servers are the base URLs, in the order given.
func (c *Client) Servers() []string { return c.servers }

// Only is a client for one of the servers.
func (c *Client) Only(server string) *Client {
	return &Client{servers: []string{server}, timeout: c.timeout, http: c.http}
}

// CloseIdle closes the connections that no request uses.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

// A Request may be made several times.
type Request struct {
	Method, Path string // Path is escaped
	Query        url.Values
	// Key is the Idempotency-Key; empty: none.
	Key string
	// Body opens the body, each time anew; nil: none. Length is its bytes; -1: not known.
	Body        func() (io.ReadCloser, error)
	Length      int64
	ContentType string
	// Repeatable: making it twice does no more than making it once. Reads are.
	Repeatable bool
	// Wait is how long the server was asked to hold the answer back.
	Wait time.Duration
}

func (r *Request) repeatable() bool { return r.Repeatable || r.Method == http.MethodGet }

// Do returns an answer of the 200s, whose body the caller closes, or: a *api.Problem that a server answered; ErrUnknown;
// ErrNoServer; the context's error.
func (c *Client) Do(ctx context.Context, r *Request) (*http.Response, error) {
	deadline := time.Now().Add(c.timeout)
	var f failure
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		for range c.servers {
			n := c.current.Load()
			resp, err := c.try(ctx, c.servers[int(n)%len(c.servers)], r, deadline)
			if err == nil {
				return resp, nil
			}
			if ctx.Err() != nil {
				return nil, f.ended(r, ctx.Err())
			}
			if final := f.add(r, err); final != nil {
				return nil, final
			}
			c.current.CompareAndSwap(n, n+1)
			if time.Now().After(deadline) {
				return nil, f.ended(r, nil)
			}
		}
		if time.Until(deadline) <= 0 {
			return nil, f.ended(r, nil)
		}
		select {
		case <-time.After(min(max(pause, f.after), time.Until(deadline))):
		case <-ctx.Done():
			return nil, f.ended(r, ctx.Err())
		}
		f.after = 0
	}
}

// Call is Do with JSON both ways; in and out may be nil.
func (c *Client) Call(ctx context.Context, r *Request, in, out any) error {
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		r.Body = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Length, r.ContentType = int64(len(body)), "application/json"
	}
	resp, err := c.Do(ctx, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	defer io.Copy(io.Discard, resp.Body) // so that the connection is used again
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", resp.Request.URL.Host, err)
	}
	return nil
}

// try makes the request once.
func (c *Client) try(ctx context.Context, server string, r *Request, deadline time.Time) (*http.Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	limit := time.AfterFunc(c.patience(r, deadline), cancel)
	req, err := c.request(ctx, server, r, limit)
	if err != nil {
		cancel()
		return nil, err
	}
	resp, err := c.http.Do(req)
	// From here on it is the caller who knows how long a body may take.
	if !limit.Stop() && err != nil {
		err = fmt.Errorf("%s does not answer in time: %w", req.URL.Host, err)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &cancelBody{resp.Body, cancel}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, readProblem(resp)
}

// patience leaves time for the other servers, where there are some.
func (c *Client) patience(r *Request, deadline time.Time) time.Duration {
	left := max(time.Until(deadline), time.Second)
	if len(c.servers) > 1 && r.repeatable() {
		left = min(left, max(c.timeout/time.Duration(len(c.servers)), time.Second))
	}
	return left + r.Wait
}

func (c *Client) request(ctx context.Context, server string, r *Request, limit *time.Timer) (*http.Request, error) {
	target := server + r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target, nil)
	if err != nil {
		return nil, &LocalError{err}
	}
	if r.Body != nil {
		req.GetBody = func() (io.ReadCloser, error) {
			body, err := r.Body()
			if err != nil {
				return nil, &LocalError{err}
			}
			return &patientBody{body, limit, c.timeout + r.Wait}, nil
		}
		if req.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
		req.ContentLength = r.Length
	}
	if r.ContentType != "" {
		req.Header.Set("Content-Type", r.ContentType)
	}
	if r.Key != "" {
		req.Header.Set(api.HeaderKey, r.Key)
	}
	return req, nil
}

// A patientBody is uploaded for as long as it moves.
type patientBody struct {
	io.ReadCloser
	limit *time.Timer
	idle  time.Duration
}

func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 && b.limit.Stop() {
		b.limit.Reset(b.idle)
	}
	if err != nil && err != io.EOF {
		err = &LocalError{err}
	}
	return n, err
}

type cancelBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *cancelBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
