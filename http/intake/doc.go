// Package intake is what the front ends that do not speak HTTP have in common: connections are let in a few at a time and end
// in order, and a document that comes over one becomes a committed job.
//
// What a front end can rely on:
//
//  1. [Serve] runs each connection in a goroutine of its own, at most Gate.Conns at once; more wait in the system's backlog. It
//     returns when every one of them has ended.
//     A connection ends in good order by Conn.End only: whatever else happens, a kill of the process too, resets it.
//  2. A read or write on a [Conn] that moves nothing for Gate.Idle ends with os.ErrDeadlineExceeded.
//  3. [Receive] holds at most 256 KiB of a document. A body that ends with any error but io.EOF makes no document.
//  4. [Submit] returns nil only when the job is committed, and says of every error which outcome it leaves.
//
// It knows nothing of any protocol.
package intake

import (
	"context"
	"io"

	"printq/node"
	"printq/queue/queuepb"
)

// A Node is the member that takes the documents. Its errors are those of packages queue and node.
type Node interface {
	// Propose returns when the command is committed and applied here.
	Propose(ctx context.Context, cmd *queuepb.Command, payload []byte) (node.Answer, error)
	// Upload takes a document of any size up to max in flat memory.
	Upload(ctx context.Context, r io.Reader, max int64) (*node.Document, error)
	// Barrier returns when everything that was committed when it was called is applied here.
	Barrier(ctx context.Context) (node.Position, error)
	Printer(name string) (*node.PrinterStatus, error)
}
