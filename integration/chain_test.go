package integration

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"printq/queue"
)

// A logLine is what the audit reads in a line of the log.
type logLine struct {
	Seq, Index, Term uint64
	Type             string
	Job              uint64
	State            string
	// Of a line that is none of the log's: the tail's own.
	Bookmark *uint64
	Problem  json.RawMessage
}

// verify checks that the lines are a log from its beginning: seq is dense, index and term never go back, and each hash is
// that of all that stands before it.
func verify(lines [][]byte) error {
	hash := strings.Repeat("0", 64)
	var last logLine
	for i, line := range lines {
		var l logLine
		if err := json.Unmarshal(line, &l); err != nil {
			return fmt.Errorf("line %d is not JSON: %w", i+1, err)
		}
		if l.Seq != last.Seq+1 || l.Index < last.Index || l.Term < last.Term {
			return fmt.Errorf("line %d: seq %d, index %d, term %d follow %d, %d, %d", i+1, l.Seq, l.Index, l.Term, last.Seq, last.Index, last.Term)
		}
		var err error
		if hash, err = queue.VerifyLine(hash, line); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		last = l
	}
	return nil
}

// same says where two logs differ, or nil.
func same(a, b [][]byte) error {
	for i := range min(len(a), len(b)) {
		if !bytes.Equal(a[i], b[i]) {
			return fmt.Errorf("line %d differs:\n%s\n%s", i+1, a[i], b[i])
		}
	}
	if len(a) != len(b) {
		return fmt.Errorf("one has %d lines, the other %d", len(a), len(b))
	}
	return nil
}

// errEnough ends readLog.
var errEnough = errors.New("enough")

// readLog gives each the lines from seq on, gapless, from whichever member answers, until each returns an error.
func (c *client) readLog(ctx context.Context, seq uint64, each func(logLine, []byte) error) error {
	for ctx.Err() == nil {
		addr := c.addrs[int(c.turn.Load())%len(c.addrs)]
		err := c.readLogOf(ctx, addr, &seq, each)
		if err != nil {
			return err
		}
		c.turn.Add(1)
		breathe(ctx, 10*time.Millisecond)
	}
	return context.Cause(ctx)
}

// readLogOf returns nil where the member did not answer or its connection broke.
func (c *client) readLogOf(ctx context.Context, addr string, seq *uint64, each func(logLine, []byte) error) error {
	q := url.Values{"from": {fmt.Sprint(*seq)}, "follow": {"true"}}
	resp, err := c.send(ctx, addr, &request{method: http.MethodGet, path: "/v1/log", query: q})
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 && resp.StatusCode < 500 {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("read the log of %s: %s: %s", addr, resp.Status, text)
	} else if resp.StatusCode != http.StatusOK {
		return nil
	}
	for r := bufio.NewReader(resp.Body); ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return nil
		}
		line = line[:len(line)-1]
		var l logLine
		if err := json.Unmarshal(line, &l); err != nil {
			return fmt.Errorf("%s sent a line that is not JSON: %q", addr, line)
		}
		if l.Bookmark != nil || l.Problem != nil {
			continue
		}
		if l.Seq != *seq {
			return fmt.Errorf("%s sent seq %d where %d comes next", addr, l.Seq, *seq)
		}
		*seq++
		if err := each(l, line); err != nil {
			return err
		}
	}
}

// linesUpTo reads the member's log from its beginning to a seq.
func (m *member) linesUpTo(ctx context.Context, last uint64) (lines [][]byte, err error) {
	err = m.readLog(ctx, 1, func(l logLine, line []byte) error {
		lines = append(lines, line)
		if l.Seq >= last {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("read the log of member %d up to seq %d: %d lines came: %w", m.id, last, len(lines), err)
	}
	return lines, nil
}
