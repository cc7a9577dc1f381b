// Package lpd takes jobs over the line printer daemon protocol (RFC 1179). A queue is a printer, by its name.
//
// What a client can rely on:
//
//  1. The octet 0 after the last file of a job means that the job is committed: no minority of members can lose it. A job is
//     whole when its control file and every data file that it prints are here, in whatever order they came.
//  2. Any other octet means that nothing was stored, or that nobody knows yet: sending the job again is safe, to this member or
//     another. A line of text follows the octet, as LPRng has it.
//  3. A job that is sent again because its acknowledgement was lost is printed once: see below.
//  4. What breaks or stands still before its end makes no job. A file ends with the octet 0 behind it, or where a client does not
//     wait for that to be acknowledged, with all the bytes that it announced and an orderly end of the connection.
//  5. The lists of jobs, and the removal of jobs, work as lpq and lprm have them, with printq's job numbers.
//
// # A job sent again
//
// A job is the same as one before when host, printer, the name and what counts of its control file, and its documents are. LPD numbers
// jobs so that a client comes to the same number only after a thousand, but some clients always take the same one; for them
// the same label twice is two labels. So it is a repeat only if nothing shows that the client had its acknowledgement (it went
// on, or ended the connection in good order), and if the job is younger than ten minutes. Whether the client had it, only the
// member that sent it knows, and only while it runs: a client that has no numbers, and within ten minutes sends the same again
// through another member, prints once. The rest is idempotency keys, and holds over all members. A
// client that takes another number when it sends a job again is not recognised.
//
// # How a job is printed
//
// Each data file that the control file prints becomes a job of printq's, in that order; the same file several times becomes
// copies. All print as they are: what the print lines say of filters (f, l, o, p, r, ...) is the device's own business, and banner
// pages are not made. The job's name is the file's source (N), else the job's (J); the user is P. What else a control file says is
// left out of account.
//
// A data file of 0 bytes stands for one that ends with the connection, as an extension that many know; its control file comes
// first. Source ports are not looked at.
package lpd

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"printq/http/intake"
	"printq/node"
)

// A Node is the member that takes the jobs.
type Node interface {
	intake.Node
	Job(id uint64) (*node.JobStatus, error)
	// Jobs are newest first.
	Jobs(f node.JobFilter) ([]*node.JobStatus, error)
}

// Options of a Server. The zero value of a field is its default, as said there.
type Options struct {
	// The member that takes the jobs. Required.
	Node Node
	// Bytes of the largest document. 0: 4 GiB - 1. A larger one is refused.
	MaxDocument int64
	// Connections at once. 0: 64. More wait in the system's backlog.
	MaxConns int
	// Bytes of small documents that wait for the rest of their jobs, over all connections. 0: 32 MiB. More are refused.
	MaxWaiting int64
	// How long a connection may bring nothing. 0: 60 s.
	IdleTimeout time.Duration
	// How long a job waits to be committed. 0: 30 s. Then it is refused; its outcome is unknown.
	CommitTimeout time.Duration
	// How long Serve lets jobs come to their end when its context ends. 0: 10 s.
	DrainTimeout time.Duration
	// How old a job may be of which another is a repeat. 0: 10 min.
	RepeatWindow time.Duration
	// Insecure allows a listener that is not loopback: whoever reaches it may print, list and remove.
	Insecure bool
	// nil: slog.Default().
	Logger *slog.Logger
}

func (o *Options) fill() error {
	if o.Node == nil {
		return errors.New("lpd: options need a node")
	}
	for _, d := range []struct {
		value *time.Duration
		zero  time.Duration
	}{
		{&o.IdleTimeout, time.Minute}, {&o.CommitTimeout, 30 * time.Second}, {&o.DrainTimeout, 10 * time.Second}, {&o.RepeatWindow, 10 * time.Minute},
	} {
		if *d.value < 0 {
			return fmt.Errorf("lpd: a time limit is %v: it must not be negative", *d.value)
		}
		if *d.value == 0 {
			*d.value = d.zero
		}
	}
	if o.MaxDocument < 0 || o.MaxConns < 0 || o.MaxWaiting < 0 {
		return errors.New("lpd: limits must not be negative")
	}
	if o.MaxDocument == 0 {
		o.MaxDocument = 1<<32 - 1
	}
	if o.MaxConns == 0 {
		o.MaxConns = 64
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 32 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}
