// Package tail reads the committed job log from servers, and checks it.
package tail

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
	"strconv"
	"strings"
	"time"

	"printq/cmd/printq/internal/client"
	"printq/http/api"
	"printq/queue"
)

// ErrBroken: the log is not what it must be. It is not the reader's fault.
var ErrBroken = errors.New("the log does not verify")

// maxLine bounds a line in bytes.
const maxLine = 16 << 20

// retryAfter is waited after a connection that brought nothing.
const retryAfter = 200 * time.Millisecond

// Start is the hash that stands before the first line.
var Start = strings.Repeat("0", 64)

// Options of a tail.
type Options struct {
	From    uint64 // the first seq, inclusive; 0: the oldest kept
	Follow  bool
	Printer string
	Job     uint64
}

func (o Options) query(from uint64) url.Values {
	q := url.Values{"from": {strconv.FormatUint(from, 10)}}
	if from == 0 {
		q.Set("from", "beginning")
	}
	if o.Follow {
		q.Set("follow", "true")
	}
	if o.Printer != "" {
		q.Set("printer", o.Printer)
	}
	if o.Job != 0 {
		q.Set("job", strconv.FormatUint(o.Job, 10))
	}
	return q
}

// A Line is one line of the log, without its newline. It is valid until the next.
type Line struct {
	Seq  uint64
	JSON []byte
}

// errEnd: a tail that does not follow came to its end.
var errEnd = errors.New("end")

// Lines calls each with the lines in order, gapless, until each returns an error, the log ends (unless it is followed), or no
// server answers. A connection that breaks is made again, to whichever server answers, at the line after the last.
func Lines(ctx context.Context, c *client.Client, o Options, each func(Line) error) error {
	from := o.From
	for {
		before := from
		err := once(ctx, c, o, &from, each)
		switch {
		case errors.Is(err, errEnd):
			return nil
		case err != nil:
			return err
		}
		if from == before {
			select {
			case <-time.After(retryAfter):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// once reads one answer. It returns nil where the connection broke.
func once(ctx context.Context, c *client.Client, o Options, from *uint64, each func(Line) error) error {
	resp, err := c.Do(ctx, &client.Request{Method: http.MethodGet, Path: "/v1/log", Query: o.query(*from)})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return read(ctx, resp.Body, resp.Request.URL.Host, o, from, each)
}

// read reads the body of an answer.
func read(ctx context.Context, body io.Reader, server string, o Options, from *uint64, each func(Line) error) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	lines.Split(wholeLines)
	for lines.Scan() {
		var head struct {
			Seq      uint64
			Bookmark *uint64
			Problem  *api.Problem
		}
		if err := json.Unmarshal(lines.Bytes(), &head); err != nil {
			return fmt.Errorf("%w: %s sent a line that is not JSON: %w", ErrBroken, server, err)
		}
		switch {
		case head.Problem != nil && head.Problem.Status == http.StatusServiceUnavailable:
			return nil
		case head.Problem != nil:
			return head.Problem
		case head.Bookmark != nil:
			*from = max(*from, *head.Bookmark+1)
		case head.Seq != 0:
			*from = head.Seq + 1
			if err := each(Line{head.Seq, lines.Bytes()}); err != nil {
				return err
			}
		case len(bytes.TrimSpace(lines.Bytes())) > 0: // passed over, it could be a line of the log that lost its seq
			return fmt.Errorf("%w: %s sent a line after seq %d that is no line of a log", ErrBroken, server, *from-1)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("%w: a line is longer than %d bytes", ErrBroken, maxLine)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !o.Follow && lines.Err() == nil {
		return errEnd // an answer that is not whole ends in an error
	}
	return nil
}

// wholeLines drops the piece of a line that a broken connection leaves.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF {
		return len(data), nil, nil
	}
	return 0, nil, nil
}

// A Chain verifies lines as they come.
type Chain struct {
	Count uint64
	// Of the last line.
	Seq  uint64
	Hash string
	// The first seq, whose own hash could be checked only if it is 1.
	First uint64
}

// Add checks the next line.
func (c *Chain) Add(l Line) error {
	if c.Count == 0 {
		c.First, c.Hash = l.Seq, Start
	} else if l.Seq != c.Seq+1 {
		return fmt.Errorf("%w: seq %d follows %d", ErrBroken, l.Seq, c.Seq)
	}
	var hash string
	var err error
	if c.Count == 0 && l.Seq != 1 {
		hash, err = ownHash(l.JSON) // what stands before it is not known here
	} else {
		hash, err = queue.VerifyLine(c.Hash, l.JSON)
	}
	if err != nil {
		return fmt.Errorf("%w: seq %d: %w", ErrBroken, l.Seq, err)
	}
	c.Count, c.Seq, c.Hash = c.Count+1, l.Seq, hash
	return nil
}

func ownHash(line []byte) (string, error) {
	var v api.LogLine
	if err := json.Unmarshal(line, &v); err != nil {
		return "", err
	}
	if len(v.Hash) != len(Start) {
		return "", errors.New("it has no hash")
	}
	return v.Hash, nil
}
