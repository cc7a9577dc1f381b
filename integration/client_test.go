package integration

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
	"sync"
	"sync/atomic"
	"time"

	"printq/http/api"
)

// stale asks a member for what it knows, whether it is in touch with the others or not.
var stale = url.Values{"consistency": {"stale"}}

// A client sends each request to the member that answered last, and on to the others until one has carried it out. All that
// is sent with it can be sent twice: it reads, it sets, or it carries a key. It is safe for concurrent use.
type client struct {
	addrs []string
	turn  atomic.Uint32
	http  *http.Client

	mu sync.Mutex
	// doubts are the attempts of which the client could not tell whether they were carried out; guarded by mu.
	doubts []string
}

func newClient(addrs ...string) *client {
	dialer := &net.Dialer{Timeout: time.Second}
	return &client{addrs: addrs, http: &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 64}}}
}

type request struct {
	method, path string
	query        url.Values
	key          string
	contentType  string
	body         body // its open is nil: none
	// Of one attempt; 0: 5 s. A member that is stopped at some instruction does not even refuse.
	patience time.Duration
	// sent is how often do has sent it.
	sent int
}

// do returns the first answer of the 200s, or the problem that no other member could cure, or that ctx ended.
func (c *client) do(ctx context.Context, r *request) (http.Header, []byte, error) {
	for n := 1; ; n++ {
		turn := c.turn.Load()
		r.sent++
		header, body, err := c.try(ctx, c.addrs[int(turn)%len(c.addrs)], r)
		var p *api.Problem
		switch {
		case err == nil:
			return header, body, nil
		case ctx.Err() != nil:
			return nil, nil, fmt.Errorf("%s %s: %w", r.method, r.path, errors.Join(ctx.Err(), err))
		case errors.As(err, &p) && p.Status < 500:
			return nil, nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
		c.doubt(r, err)
		c.turn.CompareAndSwap(turn, turn+1)
		if n%len(c.addrs) == 0 {
			breathe(ctx, 10*time.Millisecond)
		}
	}
}

func breathe(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// doubt keeps an error that leaves open whether something was done.
func (c *client) doubt(r *request, err error) {
	var p *api.Problem
	var op *net.OpError
	switch {
	case r.method == http.MethodGet:
	case errors.As(err, &p) && p.Outcome == api.OutcomeNone:
	case errors.As(err, &op) && op.Op == "dial":
	default:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.doubts = append(c.doubts, err.Error())
	}
}

func (c *client) doubtful() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doubts
}

func (c *client) try(ctx context.Context, addr string, r *request) (http.Header, []byte, error) {
	patience := r.patience
	if patience == 0 {
		patience = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	resp, err := c.send(ctx, addr, r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode >= 300 {
		p := &api.Problem{}
		if json.Unmarshal(body, p) != nil || p.Title == "" {
			p = &api.Problem{Title: resp.Status, Detail: string(body)}
		}
		p.Status = resp.StatusCode
		return nil, nil, p
	}
	return resp.Header, body, nil
}

func (c *client) send(ctx context.Context, addr string, r *request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, "http://"+addr+r.path+"?"+r.query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	if r.body.open != nil {
		if req.Body, err = r.body.open(); err != nil {
			return nil, err
		}
		req.GetBody, req.ContentLength = r.body.open, r.body.size
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if r.key != "" {
		req.Header.Set(api.HeaderKey, r.key)
	}
	return c.http.Do(req)
}

// call is do with JSON both ways; in and out may be nil.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	r := &request{method: method, path: path}
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		r.body, r.contentType = inMemory(b), "application/json"
	}
	_, b, err := c.do(ctx, r)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(bytes.TrimSpace(b), out)
}
