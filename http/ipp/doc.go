// Package ipp answers IPP (RFC 8010, RFC 8011), so that the print dialogs and commands that people have print here. An IPP
// job is a printq job: the same id, state, reasons and progress.
//
// What a caller can rely on:
//
//  1. successful-ok to a Print-Job means what a 201 means in package http: the job is committed. So do the other operations
//     that change something.
//     A job of Create-Job is held until its document came, through any member; the same document for the same job, however
//     often, is one.
//  2. server-error-service-unavailable, server-error-busy and server-error-temporary-error mean that it is safe to send the
//     request again: nothing was printed for it. server-error-internal-error means that something may have been done: a client
//     that repeats by itself could print twice, so nothing is said that makes it repeat.
//  3. What is read is linearizable, on any member.
//  4. operations-supported lists exactly what is answered. What the job template attributes offer is what the queue does, what the
//     devices say that they do, or what whoever set the printer up says (offers); all of the latter two is kept with the job and
//     handed to its device. What nobody offers is reported as unsupported, and with ipp-attribute-fidelity refuses the job.
//     Documents that a request names are this cluster's own, or fetched from where Options.Fetch may, and before the answer.
//  5. A request costs a bounded piece of memory, whatever is in it, and a malformed one gets the status that RFC 8011 says.
//     Time limits are the HTTP server's.
//
// Hosts and ports in the URIs of requests are ignored: any member answers for every printer. The answers' URIs name the host
// that the client connected to.
//
// Who asks is who they say they are (requesting-user-name): that is for the audit trail, not a protection.
package ipp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"printq/http/fetch"
	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// A Node is the member that this package speaks for. Its errors are those of packages queue and node.
type Node interface {
	// Propose returns when the command is committed and applied here.
	Propose(ctx context.Context, cmd *queuepb.Command, payload []byte) (node.Answer, error)
	// ProposeAll is Propose for many, with one answer and one error for each.
	ProposeAll(ctx context.Context, cmds []*queuepb.Command, payloads [][]byte) ([]node.Answer, []error)
	// UploadFor takes a document of any size up to max in flat memory. A job that waits for it waits on meanwhile; 0: none does.
	UploadFor(ctx context.Context, job uint64, r io.Reader, max int64) (*node.Document, error)

	// Barrier returns when everything that was committed when it was called is applied here.
	Barrier(ctx context.Context) (node.Position, error)
	Job(id uint64) (*node.JobStatus, error)
	// Jobs are newest first.
	Jobs(f node.JobFilter) ([]*node.JobStatus, error)
	Printers() ([]node.PrinterStatus, error)
	Printer(name string) (*node.PrinterStatus, error)
	OpenDocument(ctx context.Context, job *queue.Job) (io.ReadSeekCloser, error)
	Subscription(id uint64) (*queue.Subscription, error)
	Subscriptions() ([]*queue.Subscription, error)
	// Lines returns up to limit lines of the committed job log, from seq on; node.ErrTrimmed where that is no longer kept.
	Lines(seq uint64, limit int) ([]queue.Line, error)
	Cluster() node.ClusterStatus
}

// Options of a Handler. The zero value of a field is its default, as said there.
type Options struct {
	// The member that this handler speaks for. Required.
	Node Node
	// Bytes of the largest document, after decompression. 0: 4 GiB - 1.
	MaxDocument int64
	// Fetches the documents of Print-URI and Send-URI that are not this cluster's own. nil: none is fetched.
	Fetch *fetch.Fetcher
	// Where clients that encrypt are served. 0: nowhere, as far as this handler knows.
	TLSPort uint16
	// How long a command waits to be committed. 0: 30 s. Then its outcome is unknown.
	CommitTimeout time.Duration
	// For how long after a Send-Document an equal one for another job is held as a possible duplicate, unless the client is
	// known to have the first one's answer. 0: 10 min; negative: never.
	DuplicateWindow time.Duration
	// How long a read waits for its barrier. 0: 10 s.
	ReadTimeout time.Duration
	// What this program calls itself, for printer-firmware-string-version. Empty: "unknown".
	Version string
	// nil: slog.Default().
	Logger *slog.Logger
}

func (o *Options) fill() error {
	if o.Node == nil {
		return errors.New("ipp: options need a node")
	}
	if o.MaxDocument < 0 || o.CommitTimeout < 0 || o.ReadTimeout < 0 {
		return fmt.Errorf("ipp: limits must not be negative: %d bytes, %v, %v", o.MaxDocument, o.CommitTimeout, o.ReadTimeout)
	}
	if o.MaxDocument == 0 {
		o.MaxDocument = 1<<32 - 1
	}
	switch {
	case o.DuplicateWindow == 0:
		o.DuplicateWindow = 10 * time.Minute
	case o.DuplicateWindow > queue.MaxUnseenFor:
		return fmt.Errorf("ipp: duplicates are looked for during %v: it may be %v", o.DuplicateWindow, queue.MaxUnseenFor)
	}
	if o.CommitTimeout == 0 {
		o.CommitTimeout = 30 * time.Second
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = 10 * time.Second
	}
	if o.Fetch == nil {
		o.Fetch, _ = fetch.New() // of no places there is none that is wrong
	}
	if o.Version == "" {
		o.Version = "unknown"
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}
