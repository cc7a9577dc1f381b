package stream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"printq/printer/device"
	"printq/printer/zpl"
	"printq/queue"
)

// A labeler is a label printer that answers as it is told to, on pipes, line by line.
type labeler struct {
	mu      sync.Mutex
	mute    bool
	status  zpl.Status
	labels  int // that it got
	asked   int // since the last
	got     func(p *labeler)
	running sync.WaitGroup
	conns   []net.Conn
}

func (p *labeler) dial(context.Context) (Conn, error) {
	here, there := net.Pipe()
	p.conns = append(p.conns, there)
	p.running.Go(func() {
		defer there.Close()
		for r := bufio.NewReader(there); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if said := p.answer(line); said != "" {
				io.WriteString(there, said)
			}
		}
	})
	return here, nil
}

func (p *labeler) answer(line string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if line != zpl.Ask {
		p.labels += strings.Count(line, "^XZ")
		p.asked = 0
		return ""
	}
	p.asked++
	if p.got != nil {
		p.got(p)
	}
	if p.mute {
		return ""
	}
	return answerOf(p.status)
}

func answerOf(s zpl.Status) string {
	n := func(so bool) int {
		if so {
			return 1
		}
		return 0
	}
	return fmt.Sprintf("\x02030,%d,%d,1245,%03d,0,0,%d,000,0,0,0\x03\r\n\x02000,0,%d,%d,1,2,4,0,%08d,1,000\x03\r\n\x021234,0\x03\r\n",
		n(s.NoLabels), n(s.Paused), s.Formats, n(s.Partial), n(s.HeadOpen), n(s.NoRibbon), s.Labels)
}

// count is how many labels it got, and how often it was asked since.
func (p *labeler) count() (labels, asked int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.labels, p.asked
}

func (p *labeler) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// labeled runs a test with a label printer that was opened and is ready for a job of so many labels.
func labeled(t *testing.T, p *labeler, n int, f func(t *testing.T, d *Device, job device.Job)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := New("socket://labels", p.dial, Options{PJL: Off, Labels: true})
		defer func() {
			for _, c := range p.conns {
				c.Close()
			}
			p.running.Wait()
		}()
		defer d.cut()
		state, err := d.Open(t.Context(), device.Opening{})
		if err != nil || state.Class != queue.Blind || state.Window != 1 {
			t.Fatalf("%+v, %v", state, err)
		}
		job := device.Job{Cluster: "c", ID: 1, Attempt: 1, Format: "application/vnd.zebra-zpl", Units: n, Copies: 1, Pages: n}
		if _, err := d.Ready(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		f(t, d, job)
	})
}

func label(int) (device.Piece, error) { return piece("^XA^FDx^FS^XZ\n"), nil }

// A label is sent when the printer would print it, and out when nothing is left of it.
func TestLabels(t *testing.T) {
	p := new(labeler)
	labeled(t, p, 2, func(t *testing.T, d *Device, job device.Job) {
		var said []string
		p.set(func() {
			p.status = zpl.Status{NoLabels: true, Paused: true}
			p.got = func(p *labeler) {
				switch {
				case p.labels == 0 && p.asked == 3: // somebody puts labels in
					p.status = zpl.Status{Formats: 1}
				case p.labels == 0 && p.asked == 5:
					p.status = zpl.Status{}
				case p.labels == 1 && p.asked == 1:
					p.status = zpl.Status{Labels: 1}
				case p.labels == 1 && p.asked == 2:
					p.status = zpl.Status{}
				case p.labels == 1 && p.asked == 3: // it was said too soon
					p.status = zpl.Status{Partial: true}
				case p.labels == 1 && p.asked == 4:
					p.status = zpl.Status{}
				}
			}
		})
		w := window(job, 0, 1, func(n int) (device.Piece, error) {
			p.mu.Lock()
			said = append(said, fmt.Sprint("asked ", p.asked))
			p.mu.Unlock()
			return label(n)
		})
		w.Waits = func(reason, _ string) { said = append(said, reason) }
		w.Told = func(s device.Sent) {
			if s.Out > 0 {
				p.mu.Lock()
				defer p.mu.Unlock()
				said = append(said, fmt.Sprint("out, asked ", p.asked))
			}
		}
		if sent, err := d.Send(t.Context(), w); err != nil || sent.Out != 1 {
			t.Fatalf("%+v, %v", sent, err)
		}
		if got, want := fmt.Sprintf("%q", said), `["media-empty" "" "asked 5" "out, asked 5"]`; got != want {
			t.Errorf("%s, not %s", got, want)
		}
		if sent, err := d.Send(t.Context(), window(job, 1, 2, label)); err != nil || sent.Out != 2 {
			t.Fatalf("%+v, %v", sent, err)
		}
	})
}

// One that does not answer gets nothing, and after a while a new connection.
func TestLabelsOfAMutePrinter(t *testing.T) {
	p := new(labeler)
	labeled(t, p, 1, func(t *testing.T, d *Device, job device.Job) {
		p.set(func() { p.mute = true })
		var reasons []string
		w := window(job, 0, 1, label)
		w.Waits = func(reason, _ string) { reasons = append(reasons, reason) }
		sent, err := d.Send(t.Context(), w)
		if n, _ := p.count(); !errors.Is(err, device.ErrUnreachable) || sent.Unclear || n != 0 || fmt.Sprint(reasons) != "[timed-out ]" {
			t.Errorf("%+v, %v, %d labels, %q", sent, err, n, reasons)
		}
		if _, err := d.Open(t.Context(), device.Opening{}); !errors.Is(err, device.ErrUsed) || !strings.Contains(err.Error(), "status=zpl") {
			t.Error(err)
		}
	})
}

// A label that the printer has, and of which it does not say that it came out, is in doubt. Until then it is asked again.
func TestLabelThatDoesNotComeOut(t *testing.T) {
	p := new(labeler)
	labeled(t, p, 1, func(t *testing.T, d *Device, job device.Job) {
		p.set(func() { p.got = func(p *labeler) { p.mute = p.labels > 0 } })
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		sent, err := d.Send(ctx, window(job, 0, 1, label))
		n, asked := p.count()
		if !errors.Is(err, device.ErrUnclear) || !sent.Unclear || sent.Out != 0 || sent.Whole != 1 || n != 1 || asked < 5 {
			t.Errorf("%+v, %v, %d labels, asked %d times", sent, err, n, asked)
		}
	})
}
