// Package raw takes documents over bare TCP, as printers do on port 9100 (AppSocket, JetDirect): one connection, one job.
//
// What a client can rely on:
//
//  1. A job is what comes until the client ends its side of the connection (FIN), by shutdown or by close. The server ends its
//     side only when the job is committed: who waits for that end, knows. No minority of members can lose the job then.
//  2. Whatever else happens, the connection is reset: the printer is not known, there is no majority, the disk is full, the
//     document is too large, nothing came for a minute, the member stops. A reset before the client's end means that nothing
//     will be printed. After it, the job may have been committed all the same, and sending it again may print it again: raw TCP
//     has no name for a job, by which a repeat could be told.
//  3. A connection that breaks or stands still before its end makes no job: half a document is not printed. A client that
//     is killed, though, looks like one that has finished, since its system ends the connection for it: the protocol says
//     neither how long a document is nor that it is whole.
//  4. A connection that brings nothing makes no job, nor does one that only asks. So software may look whether the port is open.
//  5. A client that leaves its connection open after a document, for the next one, gets no job: its end is the only one there
//     is. Such software has a setting to close after each job.
//
// # PJL
//
// What software asks before the job is answered: ECHO, INFO ID, INFO STATUS (always ready: the queue takes jobs whatever the
// printer does). All else that can be asked is answered "?", as a printer does that does not know. Questions and their answers
// do not reach the printer; everything else does, byte for byte, but for an exit (UEL) that repeats the one right before it.
// Questions in the middle of a job are part of it.
//
// The job's name is that of @PJL JOB NAME or @PJL SET JOBNAME, else "raw from HOST"; its user is the client's address. Its
// format is sensed.
package raw

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"printq/http/intake"
)

// Options of a Server. The zero value of a field is its default, as said there.
type Options struct {
	// The member that takes the jobs, and the printer they are for. Required.
	Node    intake.Node
	Printer string
	// Bytes of the largest document. 0: 4 GiB - 1. A larger one is reset.
	MaxDocument int64
	// Connections at once. 0: 64. More wait in the system's backlog.
	MaxConns int
	// How long a connection may bring nothing. 0: 60 s. Then it is reset, and makes no job.
	IdleTimeout time.Duration
	// How long a job waits to be committed. 0: 30 s. Then its outcome is unknown, and its connection is reset.
	CommitTimeout time.Duration
	// How long Serve lets jobs come to their end when its context ends. 0: 10 s.
	DrainTimeout time.Duration
	// Insecure allows a listener that is not loopback: whoever reaches it may print.
	Insecure bool
	// nil: slog.Default().
	Logger *slog.Logger
}

func (o *Options) fill() error {
	if o.Node == nil || o.Printer == "" {
		return errors.New("raw: options need a node and a printer")
	}
	if o.MaxDocument < 0 || o.MaxConns < 0 || o.IdleTimeout < 0 || o.CommitTimeout < 0 || o.DrainTimeout < 0 {
		return fmt.Errorf("raw: limits must not be negative: %d bytes, %d connections, %v, %v, %v",
			o.MaxDocument, o.MaxConns, o.IdleTimeout, o.CommitTimeout, o.DrainTimeout)
	}
	fillZero(&o.MaxDocument, 1<<32-1)
	fillZero(&o.MaxConns, 64)
	fillZero(&o.IdleTimeout, time.Minute)
	fillZero(&o.CommitTimeout, 30*time.Second)
	fillZero(&o.DrainTimeout, 10*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}

func fillZero[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
