package ipp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
)

// maxAnswer is the most bytes of an answer that are read. Real ones have some tens of KiB.
const maxAnswer = 1 << 20

// A client sends requests to one printer.
type client struct {
	address Address
	request time.Duration
	http    *http.Client
	number  atomic.Uint32
	// version is 1.1 once the printer has refused 2.0.
	old atomic.Bool
}

// connect makes the client, without a connection.
func (p *Printer) connect() (*client, error) {
	if p.client != nil {
		return p.client, nil
	}
	config, err := p.address.tls()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", device.ErrUnreachable, err)
	}
	dialer := &net.Dialer{Timeout: p.options.Connect}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, &dialError{err}
		}
		return conn, nil
	}
	transport := &http.Transport{
		DialContext: dial,
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return handshake(ctx, conn, config, p.options.Connect)
		},
		// Two: a look at the job while its document is on its way.
		MaxConnsPerHost: 2, MaxIdleConns: 2, IdleConnTimeout: 10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
	}
	p.client = &client{address: p.address, request: p.options.Request, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return p.client, nil
}

// A dialError: no connection was made, so nothing was sent.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// A document follows a request's attributes.
type document struct {
	io.Reader
	size  int64 // -1: not known
	moved atomic.Int64
}

func (d *document) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	d.moved.Add(int64(n))
	return n, err
}

// A body is a whole request. The transport reads it in a goroutine of its own, which is over once it has closed it.
type body struct {
	io.Reader
	once   sync.Once
	closed chan struct{}
}

func (b *body) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// ask sends a request that changes nothing.
func (c *client) ask(ctx context.Context, q request) (*goipp.Message, error) {
	m, err := c.do(ctx, q, nil)
	if errors.Is(err, device.ErrUnclear) {
		err = fmt.Errorf("%w: %w", device.ErrUnreachable, plain{err})
	}
	return m, err
}

// plain hides what an error is, and keeps what it says.
type plain struct{ error }

// do sends a request, and the document after it. ErrUnreachable: nothing of it has had an effect.
func (c *client) do(ctx context.Context, q request, d *document) (*goipp.Message, error) {
	limited, cancel := ctx, context.CancelFunc(func() {})
	if d == nil {
		limited, cancel = context.WithTimeout(ctx, c.request)
	}
	defer cancel()
	m, err := c.post(limited, q, d)
	if err == nil && goipp.Status(m.Code) == goipp.StatusErrorVersionNotSupported && d == nil && !c.old.Swap(true) {
		m, err = c.post(limited, q, d)
	}
	switch {
	case err == nil:
		return m, refusal(q.op, m)
	case ctx.Err() != nil && !errors.Is(err, device.ErrUnreachable):
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("%v: %w", q.op, err)
}

func (c *client) post(ctx context.Context, q request, d *document) (*goipp.Message, error) {
	r, over, err := c.prepare(ctx, q, d)
	if err != nil {
		return nil, err
	}
	defer over()
	answer, err := c.http.Do(r)
	if _, unsent := errors.AsType[*dialError](err); unsent {
		return nil, fmt.Errorf("%w: %w", device.ErrUnreachable, err)
	} else if err != nil {
		return nil, fmt.Errorf("%w: %w", device.ErrUnclear, err)
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	if answer.StatusCode != http.StatusOK {
		return nil, refused(answer)
	}
	return decode(answer.Body)
}

// prepare makes the HTTP request. Nothing of the document is read any more once over has returned.
func (c *client) prepare(ctx context.Context, q request, d *document) (r *http.Request, over func(), err error) {
	head, err := q.encode(c)
	if err != nil {
		return nil, nil, err
	}
	over = func() {}
	if r, err = http.NewRequestWithContext(ctx, http.MethodPost, c.address.url(), bytes.NewReader(head)); err != nil {
		return nil, nil, err
	}
	if d != nil {
		b := &body{Reader: io.MultiReader(bytes.NewReader(head), d), closed: make(chan struct{})}
		over = func() { <-b.closed }
		r.Body, r.GetBody, r.ContentLength = b, nil, -1
		if d.size >= 0 {
			r.ContentLength = int64(len(head)) + d.size
		}
	}
	if q.once {
		// A connection that is left may be about to be closed by the printer: then nobody would know whether to ask again.
		c.http.CloseIdleConnections()
	}
	r.Header.Set("Content-Type", goipp.ContentType)
	r.Header.Set("Accept", goipp.ContentType)
	r.Header.Set("User-Agent", "printq")
	if c.address.User != "" {
		r.SetBasicAuth(c.address.User, c.address.Password)
	}
	return r, over, nil
}
