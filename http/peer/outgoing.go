package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"printq/node"
)

// An outgoing keeps both lanes to one address of a member connected until it is cancelled.
type outgoing struct {
	t      *Transport
	id     uint64
	addr   string
	logger *slog.Logger
	lanes  [2]*lane // urgent, bulk
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu    sync.Mutex // guards all below
	up    int        // lanes that are connected
	err   string     // what was last reported
	since time.Time
}

func (t *Transport) newOutgoing(id uint64, addr string) *outgoing {
	o := &outgoing{t: t, id: id, addr: addr, since: time.Now(), logger: t.opts.Logger.With("peer", id, "addr", addr)}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	o.lanes[0] = newLane(urgent, t.opts.UrgentFrames, t.opts.UrgentBytes, &t.opts)
	o.lanes[1] = newLane(bulk, t.opts.BulkFrames, t.opts.BulkBytes, &t.opts)
	return o
}

func (o *outgoing) connectForever(l *lane) {
	opts := &o.t.opts
	backoff := opts.MinBackoff
	for {
		began := time.Now()
		err := o.connect(l)
		if o.ctx.Err() != nil {
			return
		}
		o.failed(err)
		if time.Since(began) > opts.MaxBackoff {
			backoff = opts.MinBackoff
		}
		timer := time.NewTimer(backoff/2 + rand.N(backoff))
		select {
		case <-timer.C:
			backoff = min(2*backoff, opts.MaxBackoff)
		case <-l.redial:
			backoff = opts.MinBackoff
		case <-o.ctx.Done():
		}
		timer.Stop()
	}
}

// connect returns when the connection has ended, with the reason.
func (o *outgoing) connect(l *lane) error {
	ctx, cancel := context.WithTimeout(o.ctx, o.t.opts.HandshakeTimeout)
	defer cancel()
	conn, answer, err := o.t.dial(ctx, o.addr, hello{purpose: l.purpose, to: o.id, cluster: o.t.clusterID()})
	if err != nil {
		return err
	}
	defer o.t.release(conn)
	l.open(conn, answer.run)
	defer l.close()
	o.connected(+1)
	defer o.connected(-1)
	return l.carry(o.ctx, conn, o.t.opts.GoodbyeTimeout)
}

func (o *outgoing) connected(change int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	was := o.up == len(o.lanes)
	o.up += change
	is := o.up == len(o.lanes)
	if is != was {
		o.since = time.Now()
	}
	if is {
		o.err = ""
		o.logger.Info("member is connected")
	}
}

// failed reports what went wrong, once until it changes: a member may be away for days.
func (o *outgoing) failed(err error) {
	text := reason(err)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == text {
		return
	}
	o.err, o.since = text, time.Now()
	o.logger.Warn("no connection to member", "err", text)
}

// reason leaves out the ports that differ with every attempt.
func reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op + ": " + op.Err.Error()
	}
	var refused *node.RemoteError
	if errors.As(err, &refused) {
		return "refused: " + refused.Text
	}
	return err.Error()
}

func (o *outgoing) status() PeerStatus {
	o.mu.Lock()
	defer o.mu.Unlock()
	return PeerStatus{ID: o.id, Addr: o.addr, Connected: o.up == len(o.lanes), LastError: o.err, Since: o.since}
}

func (t *Transport) clusterID() string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.cluster
}

// dial connects and agrees before the context ends. The connection is tracked: release it. A refusal is a *node.RemoteError.
func (t *Transport) dial(ctx context.Context, addr string, h hello) (net.Conn, reply, error) {
	h.from, h.run, h.advertise = t.opts.ID, t.run, t.opts.Advertise
	bytes, err := h.encode()
	if err != nil {
		return nil, reply{}, err
	}
	conn, err := t.opts.Dial(ctx, addr)
	if err != nil {
		return nil, reply{}, fmt.Errorf("connect to member at %s: %w", addr, err)
	}
	if !t.track(conn) {
		conn.Close()
		return nil, reply{}, ErrStopped
	}
	answer, err := agree(ctx, conn, bytes)
	if err != nil {
		t.release(conn)
		return nil, reply{}, fmt.Errorf("greet member at %s: %w", addr, err)
	}
	return conn, answer, nil
}

// agree sends the hello and reads the reply.
func agree(ctx context.Context, conn net.Conn, hello []byte) (reply, error) {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(hello); err != nil {
		return reply{}, err
	}
	answer, err := readReply(conn)
	switch {
	case !stop():
		return reply{}, ctx.Err()
	case err != nil:
		return reply{}, err
	case answer.refusal != "":
		return reply{}, &node.RemoteError{Member: answer.id, Text: answer.refusal}
	}
	return answer, nil
}
