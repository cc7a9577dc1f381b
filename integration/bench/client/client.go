// Package client drives printq's members in a benchmark: HTTP/1.1 over one connection for each client, and no more than that takes, so
// that the two cores which all share are left to the servers.
package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"printq/http/api"
	"printq/integration/bench/load"
)

// insistence is how long a client that fails over sends the same again elsewhere, with the same key.
const insistence = 20 * time.Second

// A Client is all clients of a generator. It is a [load.Target].
type Client struct {
	endpoints []string
	printers  []string
	failover  bool
	patience  time.Duration
	wait      bool
	run       string        // makes keys that no other run has had
	lanes     []lane        // by client
	turn      atomic.Uint32 // of the member that the next tail is at

	mu      sync.Mutex // guards repeats
	repeats map[string]int
}

// A lane is one client's: the member that it talks to, and its connection there. The numbers of members only grow.
type lane struct {
	member int
	conn   *conn
	head   []byte // room for the next request's
}

type conn struct {
	net.Conn
	r *bufio.Reader
}

// Open makes the clients: client i talks to member i, counted around.
func Open(w load.Work) (*Client, error) {
	if len(w.Endpoints) == 0 || len(w.Printers) == 0 {
		return nil, errors.New("the work names no endpoints or no printers")
	}
	c := &Client{
		endpoints: w.Endpoints, printers: w.Printers, failover: w.Failover, patience: w.Patience(), wait: w.Wait,
		run: strconv.FormatInt(time.Now().UnixNano(), 36), lanes: make([]lane, w.Clients), repeats: map[string]int{},
	}
	for i := range c.lanes {
		c.lanes[i].member = i
	}
	return c, nil
}

// Put submits a document, or several with jobs:batch.
func (c *Client) Put(_ context.Context, client int, n uint64, documents [][]byte) error {
	l := &c.lanes[client]
	r := &request{printer: c.printers[n%uint64(len(c.printers))], number: n, documents: documents, wait: c.wait}
	if !c.failover {
		_, err := l.try(c.endpoints, r, c.patience)
		return err
	}
	r.key = c.run + "-" + strconv.FormatUint(n, 10)
	return c.insist(l, r)
}

// insist sends a request to one member after the other, until one has carried it out or refused it.
func (c *Client) insist(l *lane, r *request) error {
	began := time.Now()
	for tries := 1; ; tries++ {
		kind, err := l.try(c.endpoints, r, c.patience)
		if err == nil || kind == "refused for good" || time.Since(began) > insistence {
			return err
		}
		c.note(kind)
		l.leave()
		l.member++
		if tries%len(c.endpoints) == 0 {
			time.Sleep(2 * time.Millisecond)
		}
	}
}

func (c *Client) note(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.repeats[kind]++
}

// Repeats counts the attempts that were not the last, by what became of them.
func (c *Client) Repeats() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.repeats)
}

// try sends a request once. Of an error it says what kind it is.
func (l *lane) try(endpoints []string, r *request, patience time.Duration) (kind string, err error) {
	deadline := time.Now().Add(patience)
	if l.conn == nil {
		c, err := net.DialTimeout("tcp", endpoints[l.member%len(endpoints)], patience)
		if err != nil {
			return "not reached", err
		}
		l.conn = &conn{c, bufio.NewReader(c)}
	}
	kind, keep, err := l.exchange(r, deadline)
	if !keep {
		l.leave()
	}
	return kind, err
}

func (l *lane) leave() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// exchange reports also whether the connection can be used again.
func (l *lane) exchange(r *request, deadline time.Time) (kind string, keep bool, err error) {
	_ = l.conn.SetDeadline(deadline)
	if l.head, err = r.write(l.conn, l.head); err != nil {
		return kindOf(err), false, err
	}
	resp, err := http.ReadResponse(l.conn.r, nil)
	if err != nil {
		return kindOf(err), false, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return kindOf(err), false, err
	}
	return refusal(resp, answer, r)
}

func kindOf(err error) string {
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		return "not answered in time"
	}
	return "cut"
}

// refusal looks at an answer: nil is what the request hoped for.
func refusal(resp *http.Response, answer []byte, r *request) (kind string, keep bool, err error) {
	status, text := resp.StatusCode, answer
	if status == http.StatusOK && len(r.documents) > 1 {
		var items []api.BatchItem
		if err := json.Unmarshal(answer, &items); err != nil {
			return "refused for good", false, err
		}
		for _, item := range items {
			if status = item.Status; status != http.StatusCreated {
				text, _ = json.Marshal(item.Problem)
				break
			}
		}
	}
	switch {
	case status == http.StatusCreated:
		return "", !resp.Close, nil
	case status >= 500:
		kind = "answered " + strconv.Itoa(status)
	default:
		kind = "refused for good"
	}
	return kind, !resp.Close, fmt.Errorf("status %d: %.200s", status, text)
}

// Close ends all connections.
func (c *Client) Close() {
	for i := range c.lanes {
		c.lanes[i].leave()
	}
}
