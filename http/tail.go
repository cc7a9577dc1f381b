package http

import (
	"context"
	"fmt"
	nethttp "net/http"
	"time"

	"printq/http/api"
	"printq/queue"
)

// A tail writes lines to one client.
type tail struct {
	server *Server
	w      *response
	follow bool
	sse    bool
	// Filters; zero: all.
	printer string
	job     uint64
	// The next line to look at, and, where nothing is followed, the last.
	seq, last uint64

	out []byte
	// When something was last written.
	written time.Time
}

func (t *tail) begin() {
	h := t.w.Header()
	h["Content-Type"] = []string{api.TypeNDJSON}
	h["Cache-Control"] = noStore
	h["X-Accel-Buffering"] = []string{"no"}
	if t.sse {
		h["Content-Type"] = []string{api.TypeSSE}
		t.out = append(t.out, "retry: 1000\n\n"...)
	}
	t.w.WriteHeader(nethttp.StatusOK)
}

// run writes until the client leaves, the server stops, or there is nothing more to come.
func (t *tail) run(ctx context.Context) error {
	quiet := time.NewTimer(t.server.options.BookmarkEvery)
	defer quiet.Stop()
	if err := t.flush(); err != nil {
		return err
	}
	for t.follow || t.seq <= t.last {
		lines, wake, err := t.read()
		switch {
		case err != nil:
			return t.end(err)
		case len(lines) > 0:
			if err := t.write(lines); err != nil {
				return err
			}
		case !t.follow:
			return nil
		default:
			select {
			case <-wake:
			case <-quiet.C:
			case <-t.server.stopping.Done():
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return errGone
		}
		if t.follow && t.server.stopping.Err() != nil {
			t.bookmark()
			return t.flush()
		}
		if left := time.Until(t.written.Add(t.server.options.BookmarkEvery)); t.follow && left <= 0 {
			t.bookmark()
			if err := t.flush(); err != nil {
				return err
			}
			quiet.Reset(t.server.options.BookmarkEvery)
		} else {
			quiet.Reset(left)
		}
	}
	return nil
}

// read is the lines from seq on, those at hand or those that the node has.
func (t *tail) read() (lines []queue.Line, wake <-chan struct{}, err error) {
	if t.follow {
		if lines, wake, err = t.server.feed.next(t.seq); err != nil || len(lines) > 0 {
			return lines, wake, err
		}
	}
	lines, err = t.server.node.Lines(t.seq, linesAtOnce)
	if err == nil && len(lines) > 0 && lines[0].Seq != t.seq {
		err = fmt.Errorf("the node gave line %d where %d was asked for", lines[0].Seq, t.seq)
	}
	return lines, wake, err
}

// write writes the lines that the filters let through, at most 64 KiB or so at a time.
func (t *tail) write(lines []queue.Line) error {
	t.take()
	for _, line := range lines {
		if !t.follow && line.Seq > t.last {
			break
		}
		t.seq = line.Seq + 1
		if t.job != 0 && line.Job != t.job || t.printer != "" && line.Printer != t.printer {
			continue
		}
		t.append(line)
		if len(t.out) >= 64<<10 {
			if err := t.flush(); err != nil {
				return err
			}
			t.take()
		}
	}
	if len(t.out) > 0 {
		return t.flush()
	}
	return nil
}
