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
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"printq/printer/device"
	"printq/queue"
)

// job is one of units of plain text.
func textJob(units int) device.Job {
	return device.Job{Cluster: "c", ID: 1, Attempt: 1, Format: "text/plain", Units: units, Copies: 1, Pages: units}
}

// window gives units of text, one after another.
func window(job device.Job, from, to int, unit func(n int) (device.Piece, error)) device.Window {
	n := from
	return device.Window{Job: job, From: from, To: to, Next: func(context.Context) (device.Piece, error) {
		n++
		return unit(n)
	}}
}

func piece(text string) device.Piece {
	return device.Piece{Size: int64(len(text)), Body: strings.NewReader(text)}
}

// A script is a printer that answers as it is told to, on pipes. A form feed is a page.
type script struct {
	mu      sync.Mutex
	status  string // of INFO STATUS; empty: no answer to that
	count   int
	pages   bool   // USTATUS PAGE works
	silent  int    // from this page on, it is forgotten; 0: never
	ends    string // what USTATUS JOB says at EOJ; empty: nothing
	blank   bool   // prints nothing
	got     strings.Builder
	running sync.WaitGroup
	conns   []net.Conn
}

func (p *script) dial(context.Context) (Conn, error) {
	here, there := net.Pipe()
	p.conns = append(p.conns, there)
	p.running.Go(func() { p.serve(there) })
	return here, nil
}

func (p *script) serve(conn net.Conn) {
	defer conn.Close()
	for r, n := bufio.NewReader(conn), 0; ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		if said := p.answer(line, &n); said != "" {
			io.WriteString(conn, said)
		}
	}
}

func (p *script) answer(line string, n *int) (said string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got.WriteString(line)
	for range strings.Count(line, "\f") {
		if p.blank {
			continue
		}
		*n++
		p.count++
		if p.pages && (p.silent == 0 || *n < p.silent) {
			said += fmt.Sprintf("@PJL USTATUS PAGE\r\n%d\r\n\f", *n)
		}
	}
	_, words, _ := strings.Cut(strings.TrimSpace(line), "@PJL ")
	switch {
	case strings.HasPrefix(words, "ECHO "):
		return said + "@PJL " + words + "\r\n\f"
	case words == "INFO STATUS" && p.status != "":
		return said + "@PJL INFO STATUS\r\n" + p.status + "\r\n\f"
	case words == "INFO PAGECOUNT":
		return said + fmt.Sprintf("@PJL INFO PAGECOUNT\r\n%d\r\n\f", p.count)
	case strings.HasPrefix(words, "EOJ ") && p.ends != "":
		return said + "@PJL USTATUS JOB\r\n" + p.ends + "\r\n" + strings.TrimPrefix(words, "EOJ ") + "\r\n\f"
	}
	return said
}

func (p *script) end() {
	for _, c := range p.conns {
		c.Close()
	}
	p.running.Wait()
}

const ready = "CODE=10001\r\nDISPLAY=\"READY\"\r\nONLINE=TRUE"

// page is a unit that the script takes line by line.
func page(int) (device.Piece, error) { return piece("a\f\n"), nil }

// scripted runs a test with a printer that was opened and is ready for the job.
func scripted(t *testing.T, p *script, o Options, job device.Job, f func(t *testing.T, d *Device)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := New("socket://script", p.dial, o)
		defer p.end()
		defer d.cut()
		if _, err := d.Open(t.Context(), device.Opening{}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Ready(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		f(t, d)
	})
}

func TestFraming(t *testing.T) {
	p := &script{status: ready, pages: true}
	job := textJob(3)
	job.Options = map[string]string{"sides": "two-sided-long-edge", "media": "iso_a4_210x297mm", "copies": "3"}
	scripted(t, p, Options{}, job, func(t *testing.T, d *Device) {
		for _, to := range []int{2, 3} {
			from := to / 3 * 2
			if sent, err := d.Send(t.Context(), window(job, from, to, page)); err != nil || sent.Out != to {
				t.Fatalf("%+v, %v", sent, err)
			}
		}
	})
	text := p.got.String()
	_, text, _ = strings.Cut(text, "@PJL USTATUS DEVICE")
	at := 0
	for _, want := range []string{
		"USTATUS PAGE = ON", `JOB NAME="printq/c/1/1"`, "SET DUPLEX = ON", "SET PAPER = A4", "ENTER LANGUAGE = PCL", "a\f\na\f\n", "\x1b%-12345X",
		"ENTER LANGUAGE = PCL", "a\f\n\x1b%-12345X", `EOJ NAME="printq/c/1/1"`, "USTATUSOFF",
	} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("no %q in %q", want, text[at:])
		}
		at += i + len(want)
	}
	if strings.Contains(text, "COPIES") || strings.Count(text, "@PJL JOB") != 1 {
		t.Errorf("%q", text)
	}
}

// Where each page is a document of its own, the printer is told so, whatever its panel or the job says: a sheet's back would be counted.
func TestPagesHaveNoBacks(t *testing.T) {
	for format, want := range map[string]string{"image/pwg-raster": "SET DUPLEX = OFF", "text/plain": "SET DUPLEX = ON"} {
		p := &script{status: ready, pages: true}
		job := textJob(3)
		job.Format, job.Options = format, map[string]string{"sides": "two-sided-long-edge"}
		scripted(t, p, Options{}, job, func(t *testing.T, d *Device) {
			if sent, err := d.Send(t.Context(), window(job, 0, 3, page)); err != nil || sent.Out != 3 {
				t.Errorf("%+v, %v", sent, err)
			}
		})
		if text := p.got.String(); !strings.Contains(text, want) || strings.Count(text, "DUPLEX") != 1 {
			t.Errorf("%s: %q", format, text)
		}
	}
}

func TestDocumentErrors(t *testing.T) {
	broken := errors.New("the log is gone")
	for name, c := range map[string]struct {
		unit    func(n int) (device.Piece, error)
		out     int
		unclear bool
	}{
		"at once": {func(int) (device.Piece, error) { return device.Piece{}, broken }, 0, false},
		"later": {func(n int) (device.Piece, error) {
			if n == 3 {
				return device.Piece{}, broken
			}
			return page(n)
		}, 2, false},
		"in a unit": {func(int) (device.Piece, error) {
			return device.Piece{Size: 9, Body: io.MultiReader(strings.NewReader("aaaa\n"), iotest.ErrReader(broken))}, nil
		}, 0, false},
		"in a later unit": {func(n int) (device.Piece, error) {
			if n == 2 {
				return device.Piece{Size: 9, Body: iotest.ErrReader(broken)}, nil
			}
			return page(n)
		}, 1, false},
		"in a long unit": {func(int) (device.Piece, error) {
			text := strings.Repeat("a\n", wholeSize)
			return device.Piece{Size: int64(len(text)) + 9, Body: io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))}, nil
		}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			scripted(t, &script{status: ready, pages: true}, Options{}, textJob(4), func(t *testing.T, d *Device) {
				sent, err := d.Send(t.Context(), window(textJob(4), 0, 4, c.unit))
				if !errors.Is(err, broken) || errors.Is(err, device.ErrUnclear) != c.unclear || errors.Is(err, device.ErrUnreachable) {
					t.Error(err)
				}
				if sent.Out != c.out || sent.Unclear != c.unclear {
					t.Errorf("%+v", sent)
				}
			})
		})
	}
}

func TestStop(t *testing.T) {
	t.Run("pages", func(t *testing.T) {
		scripted(t, &script{status: ready, pages: true}, Options{}, textJob(8), func(t *testing.T, d *Device) {
			stop := make(chan struct{})
			w := window(textJob(8), 0, 8, func(n int) (device.Piece, error) {
				if n == 3 {
					close(stop)
				}
				return page(n)
			})
			w.Stop = stop
			if sent, err := d.Send(t.Context(), w); err != nil || sent != (device.Sent{Whole: 3, Out: 3}) {
				t.Errorf("%+v, %v", sent, err)
			}
		})
	})
	t.Run("document", func(t *testing.T) {
		job := device.Job{Cluster: "c", ID: 1, Attempt: 1, Format: "application/pdf", Units: 1, Copies: 1}
		scripted(t, &script{status: ready}, Options{}, job, func(t *testing.T, d *Device) {
			stop := make(chan struct{})
			text := strings.Repeat("x\n", wholeSize)
			w := window(job, 0, 1, func(int) (device.Piece, error) { return piece(text), nil })
			w.Stop = stop
			close(stop)
			if sent, err := d.Send(t.Context(), w); err != nil || sent != (device.Sent{}) {
				t.Errorf("before the first byte: %+v, %v", sent, err)
			}
			if _, err := d.Ready(t.Context(), job); err != nil {
				t.Fatal(err)
			}
			stop = make(chan struct{})
			w = window(job, 0, 1, func(int) (device.Piece, error) {
				return device.Piece{Size: int64(len(text)), Body: io.MultiReader(
					strings.NewReader(text[:chunk]), call(func() { close(stop) }), strings.NewReader(text[chunk:]))}, nil
			})
			w.Stop = stop
			if sent, err := d.Send(t.Context(), w); err != nil || !sent.Unclear || sent.Out != 0 {
				t.Errorf("%+v, %v", sent, err)
			}
		})
	})
}

// call is a reader of nothing that does something.
type call func()

func (c call) Read([]byte) (int, error) {
	c()
	return 0, io.EOF
}

func TestCanceledAtThePrinter(t *testing.T) {
	job := device.Job{Cluster: "c", ID: 1, Attempt: 1, Format: "application/pdf", Units: 1, Copies: 1}
	scripted(t, &script{status: ready, ends: "CANCELED"}, Options{}, job, func(t *testing.T, d *Device) {
		sent, err := d.Send(t.Context(), window(job, 0, 1, page))
		if !errors.Is(err, device.ErrUnclear) || !strings.Contains(err.Error(), "canceled at the printer") || !sent.Unclear {
			t.Errorf("%+v, %v", sent, err)
		}
	})
}

// The counter is a second witness: pages that the printer forgets to tell of are out when it counts them.
func TestPagesNotTold(t *testing.T) {
	p := &script{status: ready, pages: true, silent: 3}
	scripted(t, p, Options{}, textJob(6), func(t *testing.T, d *Device) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		begun := time.Now()
		sent, err := d.Send(ctx, window(textJob(6), 0, 6, func(n int) (device.Piece, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.status = "CODE=10023\r\nDISPLAY=\"PRINTING\"" // it never comes to rest
			return page(n)
		}))
		if took := time.Since(begun); err != nil || sent.Out != 6 || took > 2*askTalking {
			t.Errorf("%+v, %v after %v", sent, err, took)
		}
	})
}

// A printer that takes all, prints nothing and rests does not know the format.
func TestPrintsNothing(t *testing.T) {
	scripted(t, &script{status: ready, blank: true}, Options{}, textJob(2), func(t *testing.T, d *Device) {
		sent, err := d.Send(t.Context(), window(textJob(2), 0, 2, page))
		if !errors.Is(err, device.ErrFormat) || sent.Unclear {
			t.Errorf("%+v, %v", sent, err)
		}
	})
}

// Only the context ends a wait for paper, and what was begun is in doubt then.
func TestContextEndsAWait(t *testing.T) {
	p := &script{status: ready}
	job := device.Job{Cluster: "c", ID: 1, Attempt: 1, Format: "application/pdf", Units: 1, Copies: 1}
	scripted(t, p, Options{}, job, func(t *testing.T, d *Device) {
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Minute)
		defer stop()
		w := window(job, 0, 1, func(int) (device.Piece, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.status = "CODE=42001\r\nDISPLAY=\"JAM\"\r\nONLINE=FALSE"
			return page(1)
		})
		var reasons []string
		w.Waits = func(reason, _ string) { reasons = append(reasons, reason) }
		sent, err := d.Send(ctx, w)
		if !errors.Is(err, device.ErrUnclear) || !errors.Is(err, context.DeadlineExceeded) || !sent.Unclear || sent.Out != 0 {
			t.Errorf("%+v, %v", sent, err)
		}
		if got := fmt.Sprint(reasons); got != "[media-jam ]" {
			t.Error(got)
		}
	})
}

// A printer that asks for toner prints: that is said once, stays while it only says that it is at work, and goes when it says that all is
// well. One that sleeps is not waited for.
func TestWarns(t *testing.T) {
	p := &script{status: low, pages: true}
	job := textJob(4)
	scripted(t, p, Options{}, job, func(t *testing.T, d *Device) {
		var reasons []string
		for from, status := range []string{low, "CODE=10023\r\nDISPLAY=\"PRINTING\"\r\nONLINE=TRUE", "CODE=40000\r\nDISPLAY=\"SLEEP\"\r\nONLINE=TRUE", ready} {
			p.mu.Lock()
			p.status = status
			p.mu.Unlock()
			w := window(job, from, from+1, page)
			w.Waits = func(reason, _ string) { reasons = append(reasons, reason) }
			if sent, err := d.Send(t.Context(), w); err != nil || sent.Out != from+1 {
				t.Fatalf("%+v, %v", sent, err)
			}
			reasons = append(reasons, fmt.Sprint(from+1))
		}
		if got, want := fmt.Sprint(reasons), "[toner-low-warning 1 toner-low-warning 2  3 4]"; got != want {
			t.Errorf("%s, not %s", got, want)
		}
	})
}

const low = "CODE=10006\r\nDISPLAY=\"TONER LOW\"\r\nONLINE=TRUE"

// What has stopped before it is at rest says why within seconds, and is waited for from then on.
func TestOpenSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{status: "CODE=40021\r\nDISPLAY=\"COVER\"\r\nONLINE=FALSE"}
		defer p.end()
		d := New("socket://script", p.dial, Options{})
		for _, want := range []time.Duration{restFirst, restLimit} {
			begun := time.Now()
			var trouble *device.Trouble
			if _, err := d.Open(t.Context(), device.Opening{}); !errors.As(err, &trouble) || trouble.Reason != "cover-open" {
				t.Fatal(err)
			}
			if took := time.Since(begun); took < want || took > want+5*time.Second {
				t.Errorf("it took %v to say so", took)
			}
		}
	})
}

func TestOpenWaitsForRest(t *testing.T) {
	for name, c := range map[string]struct {
		status string
		err    error
		hint   string
	}{
		"stopped": {"CODE=41002\r\nDISPLAY=\"LOAD A4\"\r\nONLINE=FALSE", device.ErrUnreachable, "LOAD A4"},
		"at work": {"CODE=10023\r\nDISPLAY=\"PRINTING\"\r\nONLINE=TRUE", device.ErrUsed, "PRINTING"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &script{status: c.status}
				defer p.end()
				d := New("socket://script", p.dial, Options{})
				begun := time.Now()
				_, err := d.Open(t.Context(), device.Opening{})
				if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.hint) {
					t.Error(err)
				}
				if took := time.Since(begun); took > time.Minute {
					t.Errorf("it took %v to say so", took)
				}
			})
		})
	}
}

// What says much and no PJL is not listened to for longer than it takes to see that.
func TestBabble(t *testing.T) {
	for mode, want := range map[Mode]error{On: device.ErrUnreachable, Auto: nil} {
		synctest.Test(t, func(t *testing.T) {
			here, there := net.Pipe()
			var said atomic.Int64
			go func() {
				for {
					n, err := there.Write([]byte("garbage\r\n"))
					if err != nil {
						return
					}
					said.Add(int64(n))
				}
			}()
			go func() { _, _ = io.Copy(io.Discard, there) }()
			d := New("socket://babble", func(context.Context) (Conn, error) { return here, nil }, Options{PJL: mode})
			state, err := d.Open(t.Context(), device.Opening{})
			if !errors.Is(err, want) || mode == On && !strings.Contains(err.Error(), "none of it is PJL") || mode == Auto && state.Class != queue.Blind {
				t.Errorf("%v: %+v, %v", mode, state, err)
			}
			there.Close()
			if n := said.Load(); n > 1<<20 {
				t.Errorf("%d bytes were read", n)
			}
		})
	}
}
