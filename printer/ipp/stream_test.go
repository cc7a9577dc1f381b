package ipp

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
	"printq/queue"
)

// endless is a document of that many bytes.
func endless(size int64) func(context.Context) (device.Piece, int, error) {
	return func(context.Context) (device.Piece, int, error) {
		return device.Piece{Size: size, Body: io.LimitReader(zeros{}, size)}, 1, nil
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func window(j device.Job, units ...string) device.Window {
	return device.Window{
		Token: queue.Token{Term: 1, Index: 1}, Job: j, From: j.Start, To: j.Total(), Stop: make(chan struct{}),
		Next: func(context.Context) (device.Piece, error) {
			if len(units) == 0 {
				return device.Piece{}, errors.New("one too many")
			}
			unit := units[0]
			units = units[1:]
			return device.Piece{Size: int64(len(unit)), Body: strings.NewReader(unit)}, nil
		},
	}
}

func TestBlind(t *testing.T) {
	f := newFake(t)
	f.ops = slices.DeleteFunc(slices.Clone(f.ops), func(op goipp.Op) bool { return op == goipp.OpCreateJob })
	f.start()
	p, j := f.printer(""), aJob()
	if s := opened(t, p); s.Class != queue.Blind || s.Window != 0 || !strings.Contains(s.About, "Create-Job") {
		t.Errorf("state %+v", s)
	}
	if _, err := p.Ready(t.Context(), j); err != nil {
		t.Error(err)
	}
	sent, err := p.Send(t.Context(), window(j, "RaS2one\n", "RaS2two\n", "RaS2three\n"))
	if err != nil || sent != (device.Sent{Whole: 3, Out: 3}) {
		t.Errorf("%+v, %v", sent, err)
	}
	if got := string(f.jobs[0].document); got != "RaS2one\ntwo\nthree\n" {
		t.Errorf("document %q", got)
	}
	j.Start = 2
	j.Copies = 2
	if sent, err := p.Send(t.Context(), window(j, "RaS2three\n", "RaS2one\n", "RaS2two\n", "RaS2three\n")); err != nil || sent.Out != 6 {
		t.Errorf("%+v, %v", sent, err)
	}
	if got := string(f.jobs[1].document); got != "RaS2three\none\ntwo\nthree\n" || f.jobs[1].copies != 1 {
		t.Errorf("document %q", got)
	}
	j.Start = 3
	j.Copies = 3
	if _, err := p.Send(t.Context(), window(j, "RaS2one\n", "RaS2two\n", "RaS2three\n")); err != nil || f.jobs[2].copies != 2 {
		t.Errorf("%d copies, %v", f.jobs[2].copies, err)
	}
}

func TestBlindFails(t *testing.T) {
	f := newFake(t).start()
	p, j := f.printer("?class=blind"), aJob()
	if s := opened(t, p); s.Class != queue.Blind {
		t.Errorf("state %+v", s)
	}
	for _, c := range []struct {
		fault
		err error
	}{
		{fault{status: goipp.StatusErrorBusy}, device.ErrUnreachable},
		{fault{status: goipp.StatusErrorTemporary}, device.ErrUnreachable},
		{fault{status: goipp.StatusErrorDocumentFormatError}, device.ErrFormat},
		{fault{before: true}, device.ErrUnclear},
		{fault{after: true}, device.ErrUnclear},
		{fault{cut: 3}, device.ErrUnclear},
		{fault{raw: []byte("x")}, device.ErrUnclear},
		{fault{http: 500}, device.ErrUnclear},
	} {
		f.fail(goipp.OpPrintJob, c.fault)
		if sent, err := p.Send(t.Context(), window(j, "RaS21\n", "RaS22\n", "RaS23\n")); !errors.Is(err, c.err) || sent.Out != 0 {
			t.Errorf("%+v: %+v, %v", c.fault, sent, err)
		}
	}
	if _, err := p.Send(t.Context(), window(j)); err == nil || f.count(goipp.OpPrintJob) != 8 {
		t.Errorf("without a document: %v", err)
	}
	if _, err := p.Send(t.Context(), window(j, "RaS21\n", "RaS22\n")); !errors.Is(err, device.ErrUnclear) {
		t.Errorf("with one that ends early: %v", err)
	}
	f.set(func() { f.refuses = true })
	if _, err := p.Ready(t.Context(), j); !errors.Is(err, device.ErrUnreachable) {
		t.Errorf("not accepting: %v", err)
	}
	f.Close()
	if _, err := p.Send(t.Context(), window(j, "RaS21\n", "RaS22\n", "RaS23\n")); !errors.Is(err, device.ErrUnreachable) {
		t.Errorf("away: %v", err)
	}
}

func TestBlindStopped(t *testing.T) {
	f := newFake(t).start()
	p, j := f.printer(""), aJob()
	opened(t, p)
	j.Units, j.Pages = 1, 1
	stop, release := make(chan struct{}), make(chan struct{})
	f.fail(goipp.OpPrintJob, fault{do: func() { close(stop); <-release }, before: true})
	w := window(j, strings.Repeat("x", 64<<20))
	w.Stop = stop
	sent, err := p.Send(t.Context(), w)
	close(release)
	if err != nil || !sent.Unclear || sent.Out != 0 {
		t.Errorf("%+v, %v", sent, err)
	}
}
