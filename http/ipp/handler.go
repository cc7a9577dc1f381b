package ipp

import (
	"context"
	"maps"
	nethttp "net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// A Handler answers IPP requests: POSTs of type application/ipp, on whatever path. Its methods may be called from any
// goroutine.
type Handler struct {
	options Options
	node    Node
	seen    seen
	// Of [queue.MaxInline]byte.
	buffers sync.Pool
	// The cluster's id, once it was known: it never changes.
	cluster atomic.Pointer[string]
	// What is answered, and the same as operations-supported says it. Never changed.
	operations map[goipp.Op]operation
	supported  []int
}

// New makes a handler.
func New(o Options) (*Handler, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	h := &Handler{options: o, node: o.Node, seen: seen{more: make(chan struct{}, 1)}}
	h.buffers.New = func() any { return new([queue.MaxInline]byte) }
	h.operations = h.table()
	for _, op := range slices.Sorted(maps.Keys(h.operations)) {
		h.supported = append(h.supported, int(op))
	}
	return h, nil
}

// ServeHTTP makes a Handler a nethttp.Handler.
func (h *Handler) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	q, err := readRequest(r.Body)
	q.base = baseOf(r)
	if watched, ok := w.(interface{ WhenSeen(func()) }); ok {
		q.whenSeen = watched.WhenSeen
	}
	if kept, ok := w.(interface{ Connection() *sync.Map }); ok {
		q.connection = kept.Connection()
	}
	var a *answer
	if err == nil {
		a, err = h.operate(r.Context(), q)
	}
	if err != nil {
		a = refusal(err)
		if a.status == goipp.StatusErrorInternal {
			h.options.Logger.Error("an IPP request ended in a fault", "operation", q.op, "error", err)
		}
	}
	h.write(w, q, a)
}

func (h *Handler) operate(ctx context.Context, q *request) (*answer, error) {
	op := h.operations[q.op]
	if op == nil {
		return nil, fail(goipp.StatusErrorOperationNotSupported, "operation %s is not supported: see operations-supported", q.op)
	}
	t, err := q.targetOf(q.op)
	if err != nil {
		return nil, err
	}
	return op(ctx, q, t)
}

// targetOf is the request's target; CUPS's own operations need not name one.
func (q *request) targetOf(op goipp.Op) (target, error) {
	if op >= goipp.OpCupsGetDefault && find(q.operation, "printer-uri") == nil && find(q.operation, "job-uri") == nil {
		return target{}, nil
	}
	return q.target()
}

// clusterID is what the UUIDs of printers and jobs are made of.
func (h *Handler) clusterID() string {
	if id := h.cluster.Load(); id != nil {
		return *id
	}
	id := h.node.Cluster().Cluster
	if id != "" {
		h.cluster.Store(&id)
	}
	return id
}

// propose carries out a command.
func (h *Handler) propose(ctx context.Context, cmd *queuepb.Command, payload []byte) (node.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, h.options.CommitTimeout)
	defer cancel()
	a, err := h.node.Propose(ctx, cmd, payload)
	return a, outcomeOf(err)
}

// fresh returns when what is read now is linearizable.
func (h *Handler) fresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.options.ReadTimeout)
	defer cancel()
	_, err := h.node.Barrier(ctx)
	if err != nil && ctx.Err() != nil {
		return fail(goipp.StatusErrorServiceUnavailable, "no majority of the members answered in time: try again, or ask another member")
	}
	return err
}

// cause is who asks, and why, for the audit trail. CUPS's cupsdisable -r and cupsreject -r say why in the words of the printer's state.
func (q *request) cause() (*queuepb.Cause, error) {
	user, err := q.user()
	if err != nil {
		return nil, err
	}
	why, err := text(q.operation, "message")
	if why == "" && err == nil {
		why, err = text(q.operation, "printer-state-message")
	}
	return &queuepb.Cause{By: user, Why: why}, err
}
