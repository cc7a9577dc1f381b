// Package http speaks to the world outside: JSON over HTTP, the tail of the committed log, health and metrics.
//
// What a caller can rely on:
//
//  1. A 201 to a submit means that the job is committed and was applied here: no minority of members can lose it.
//  2. A 503 says in its outcome whether something may have been done: none is safe to repeat, unknown is to be repeated
//     with the same Idempotency-Key.
//  3. A read is linearizable unless it asks for ?consistency=stale. Its Printq-Index is of a position that was applied
//     before the answer was read, so a long poll from that index misses nothing.
//  4. A log tail is gapless: it starts with the seq that was asked for, or says 410 with the oldest one kept. It ends with a
//     bookmark or with the reason, or its connection breaks; what it wrote before is whole lines.
//  5. A slow or silent client costs a bounded piece of memory for a bounded time. One that leaves ends its request; a submit that does not wait
//     for its job may go on until it is committed.
//
// The package decides nothing about jobs. It reads requests into commands for a [Node], and its answers into package api.
package http

import (
	"context"
	"io"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// A Node is the member that this server speaks for. Its errors are those of packages queue and node.
type Node interface {
	// Propose returns when the command is committed and applied here.
	Propose(ctx context.Context, cmd *queuepb.Command, payload []byte) (node.Answer, error)
	ProposeDocument(ctx context.Context, cmd *queuepb.Command, d *node.Document) (node.Answer, error)
	// ProposeAll is Propose for many, with one answer and one error for each.
	ProposeAll(ctx context.Context, cmds []*queuepb.Command, payloads [][]byte) ([]node.Answer, []error)
	// Upload takes a document of any size up to max in flat memory.
	Upload(ctx context.Context, r io.Reader, max int64) (*node.Document, error)

	// Barrier returns when everything that was committed when it was called is applied here.
	Barrier(ctx context.Context) (node.Position, error)
	Applied() node.Position
	Job(id uint64) (*node.JobStatus, error)
	// Jobs are newest first.
	Jobs(f node.JobFilter) ([]*node.JobStatus, error)
	// WaitJob returns when an entry after index changed the job, or with the job as it is when ctx ends.
	WaitJob(ctx context.Context, id, index uint64) (*node.JobStatus, error)
	Printers() ([]node.PrinterStatus, error)
	Printer(name string) (*node.PrinterStatus, error)
	// Takes refuses a format that the printer does not take with node.ErrFormat; so does Propose.
	Takes(printer, format string) error
	OpenDocument(ctx context.Context, job *queue.Job) (io.ReadSeekCloser, error)

	// Lines are at most max from seq on, inclusive; none where there is none yet.
	Lines(from uint64, max int) ([]queue.Line, error)
	// WaitLines returns when a line with that seq exists.
	WaitLines(ctx context.Context, seq uint64) error

	Cluster() node.ClusterStatus
	Transfer(ctx context.Context, to uint64) error
	// Ready is nil while this member can serve linearizable requests.
	Ready() error
	Stats() node.Stats
}
