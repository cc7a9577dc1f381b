package http

import (
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"strconv"
	"sync"
	"time"

	"printq/http/api"
	"printq/queue"
)

// append adds one line: the same bytes on every member, in the frame that was asked for.
func (t *tail) append(line queue.Line) {
	if t.sse {
		t.out = append(t.out, "id: "...)
		t.out = strconv.AppendUint(t.out, line.Seq, 10)
		t.out = append(t.out, "\ndata: "...)
		t.out = append(append(t.out, line.JSON...), "\n\n"...)
		return
	}
	t.out = append(append(t.out, line.JSON...), '\n')
}

// bookmark says that every line before seq has been looked at. An event without data sets the id that a browser sends when it
// connects anew, and nothing else (WHATWG HTML §9.2.6).
func (t *tail) bookmark() {
	if t.sse {
		t.out = append(t.out, ": bookmark\nid: "...)
		t.out = strconv.AppendUint(t.out, t.seq-1, 10)
		t.out = append(t.out, "\n\n"...)
		return
	}
	t.out = append(t.out, `{"bookmark":`...)
	t.out = strconv.AppendUint(t.out, t.seq-1, 10)
	t.out = append(t.out, "}\n"...)
}

// end says why the tail cannot go on, as its last line. The answer ends whole: what came before it is good.
func (t *tail) end(err error) error {
	p := problemOf(t.server.trimmed(err), false)
	p.Detail += fmt.Sprintf(": the next line would have been %d", t.seq)
	text, _ := json.Marshal(api.TailEnd{Problem: p}) // a struct of strings and numbers
	if t.sse {
		t.out = append(append(append(t.out, "event: problem\ndata: "...), text...), "\n\n"...)
	} else {
		t.out = append(append(t.out, text...), '\n')
	}
	return t.flush()
}

// flush sends what was gathered. A client that takes nothing for WriteTimeout is let go: it can come back and go on after
// the last line it has.
func (t *tail) flush() error {
	control := nethttp.NewResponseController(t.w.ResponseWriter)
	now := time.Now()
	// A writer without deadlines (a test's recorder) has no client that could be slow.
	_ = control.SetWriteDeadline(now.Add(t.server.options.WriteTimeout))
	t.w.moved = now
	_, err := t.w.Write(t.out)
	if err == nil {
		err = control.Flush()
	}
	if err != nil {
		t.server.metrics.tailsCut.Inc()
		return errGone
	}
	t.written = time.Now()
	t.giveBack()
	return nil
}

// frames are buffers that tails have from their first line to the write. Most of a thousand tails wait for lines or for one
// another: they hold none.
var frames = sync.Pool{New: func() any { return new([]byte) }}

func (t *tail) take() {
	if t.out == nil {
		t.out = *frames.Get().(*[]byte)
	}
}

func (t *tail) giveBack() {
	if out := t.out[:0]; cap(out) <= 128<<10 {
		frames.Put(&out)
	}
	t.out = nil
}
