package head

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"printq/printer/device"
	"printq/queue"
)

// A press is a printer that says nothing, or counts its pages. At is called at every step of its requests.
type press struct {
	mu     sync.Mutex
	paper  []string
	counts bool
	at     func(step string) error
}

func (p *press) step(name string) error {
	if p.at == nil {
		return nil
	}
	return p.at(name)
}

func (p *press) out() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.paper...)
}

func (p *press) Open(context.Context, device.Opening) (device.State, error) {
	class := queue.Blind
	if p.counts {
		class = queue.Counted
	}
	return device.State{Class: class, Counts: p.counts, Counter: uint64(len(p.out())), About: "a press"}, nil
}

func (p *press) Ready(context.Context, device.Job) (device.Readiness, error) {
	return device.Readiness{Counts: p.counts, Counter: uint64(len(p.out()))}, p.step("ready")
}

func (p *press) Send(ctx context.Context, w device.Window) (device.Sent, error) {
	if err := p.step("before"); err != nil {
		return device.Sent{}, err
	}
	piece, err := w.Next(ctx)
	if err != nil {
		return device.Sent{}, err
	}
	b, err := io.ReadAll(piece.Body)
	if err != nil || int64(len(b)) != piece.Size {
		return device.Sent{}, fmt.Errorf("%w: %d bytes of %d: %w", device.ErrUnclear, len(b), piece.Size, err)
	}
	p.mu.Lock()
	p.paper = append(p.paper, string(b))
	p.mu.Unlock()
	if err := p.step("after"); err != nil {
		return device.Sent{}, err
	}
	return device.Sent{Whole: w.To, Out: w.To}, nil
}

func (p *press) Release() error { return nil }

// start is a head in dir, reached over HTTPS.
func start(t *testing.T, dir string, p device.Stream) (*Server, *Device) {
	t.Helper()
	certificate, identity, err := LoadKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewServer(identity, Options{Dir: dir, Printer: p, Secret: "s"})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(s)
	h.TLS = TLSConfig(certificate)
	h.StartTLS()
	d := New(strings.TrimPrefix(h.URL, "https://"), "s", identity)
	t.Cleanup(func() {
		_ = d.Release()
		h.Close()
		_ = s.Close()
	})
	return s, d
}

func opening(index uint64) device.Opening {
	return device.Opening{Token: queue.Token{Term: 1, Index: index}, Cluster: "c"}
}

func page(s device.State, index, attempt uint64, n int, text string) device.Unit {
	return device.Unit{
		Token: queue.Token{Term: 1, Index: index}, Epoch: s.Epoch, Attempt: attempt, Job: attempt, Copy: 1, Page: n, PerCopy: 3,
		First: n == 1, Last: n == 3, Size: int64(len(text)), Body: strings.NewReader(text),
	}
}

func TestHeadIsAFence(t *testing.T) {
	p := new(press)
	_, d := start(t, t.TempDir(), p)
	s, err := d.Open(t.Context(), opening(5))
	if err != nil || s.Class != queue.Fenced || !s.Mark.Closed || s.Epoch == "" || !strings.HasPrefix(s.Identity, "head:") {
		t.Fatalf("%+v, %v", s, err)
	}
	for n, text := range []string{"one", "two"} {
		if err := d.Print(t.Context(), page(s, 5, 7, n+1, text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Print(t.Context(), page(s, 5, 7, 2, "two")); err != nil {
		t.Errorf("a repeated unit: %v", err)
	}
	if err := d.Print(t.Context(), page(s, 4, 7, 3, "three")); !errors.Is(err, device.ErrStale) {
		t.Errorf("a stale token: %v", err)
	}
	if err := d.Print(t.Context(), page(s, 5, 8, 1, "x")); !errors.Is(err, device.ErrRefused) {
		t.Errorf("another attempt before the close: %v", err)
	}
	m, err := d.Close(t.Context(), device.Closing{Token: queue.Token{Term: 1, Index: 5}, Epoch: s.Epoch, Attempt: 7})
	if err != nil || m != (device.Mark{Attempt: 7, Copy: 1, Page: 2, Closed: true}) {
		t.Errorf("close: %+v, %v", m, err)
	}
	if err := d.Print(t.Context(), page(s, 5, 7, 3, "three")); !errors.Is(err, device.ErrRefused) {
		t.Errorf("after the close: %v", err)
	}
	if got := strings.Join(p.out(), " "); got != "one two" {
		t.Errorf("paper: %s", got)
	}
}

// Killed at any step, what the head then knows and the paper agree, or the unit is in doubt.
func TestKilledAtEveryStep(t *testing.T) {
	for _, counts := range []bool{false, true} {
		for _, step := range []string{"ready", "before", "after"} {
			t.Run(fmt.Sprintf("%s/counts=%v", step, counts), func(t *testing.T) {
				dir, left := t.TempDir(), t.TempDir()
				p := &press{counts: counts}
				_, d := start(t, dir, p)
				s, err := d.Open(t.Context(), opening(5))
				if err != nil {
					t.Fatal(err)
				}
				if err := d.Print(t.Context(), page(s, 5, 7, 1, "one")); err != nil {
					t.Fatal(err)
				}
				n := 0
				p.at = func(name string) error {
					if name == step {
						kill(t, dir, left)
						n = len(p.out())
					}
					return nil
				}
				// The attempt's connection is made anew, as after a fault: Ready is a step, too.
				if step == "ready" {
					if _, err := d.Open(t.Context(), opening(5)); err != nil {
						t.Fatal(err)
					}
				}
				if err := d.Print(t.Context(), page(s, 5, 7, 2, "two")); err != nil {
					t.Fatal(err)
				}
				after := &press{counts: counts, paper: p.out()[:n]}
				_, d2 := start(t, left, after)
				s2, err := d2.Open(t.Context(), opening(6))
				if err != nil {
					t.Fatal(err)
				}
				if m := s2.Mark; m.Attempt != 7 || m.Page > n || !m.Unclear && m.Page != n {
					t.Errorf("the mark says %+v, the paper has %d", m, n)
				}
				wantUnclear := step == "after" || step == "before" && !counts
				if s2.Mark.Unclear != wantUnclear {
					t.Errorf("unclear %v, want %v", s2.Mark.Unclear, wantUnclear)
				}
				if s2.Epoch != s.Epoch {
					t.Error("another epoch")
				}
				err = d2.Print(t.Context(), page(s2, 6, 7, s2.Mark.Page+1, "two"))
				if wantUnclear != errors.Is(err, device.ErrRefused) {
					t.Errorf("the next unit: %v", err)
				}
			})
		}
	}
}

// kill is what a killed head leaves: its files as they are on disk now.
func kill(t *testing.T, from, to string) {
	for _, name := range []string{"head.db", "head.pem"} {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A unit that the printer cut off is refused from then on, and closing its attempt leaves it in doubt, for the log to say.
func TestCutOff(t *testing.T) {
	p := &press{at: func(step string) error {
		if step == "after" {
			return fmt.Errorf("%w: reset", device.ErrUnclear)
		}
		return nil
	}}
	_, d := start(t, t.TempDir(), p)
	s, _ := d.Open(t.Context(), opening(5))
	if err := d.Print(t.Context(), page(s, 5, 7, 1, "one")); !errors.Is(err, device.ErrRefused) {
		t.Fatalf("cut off: %v", err)
	}
	if s, err := d.Open(t.Context(), opening(6)); err != nil || !s.Mark.Unclear {
		t.Fatalf("%+v, %v", s, err)
	}
	m, err := d.Close(t.Context(), device.Closing{Token: queue.Token{Term: 1, Index: 6}, Epoch: s.Epoch, Attempt: 7})
	if err != nil || !m.Closed {
		t.Fatalf("%+v, %v", m, err)
	}
	p.at = nil
	if err := d.Print(t.Context(), page(s, 6, 9, 1, "again")); err != nil {
		t.Errorf("a later attempt: %v", err)
	}
}

// A printer that takes its time holds up no request for ever: the driver hears what it waits for, and comes again.
func TestSlowPrinter(t *testing.T) {
	free := make(chan struct{})
	p := &press{}
	p.at = func(step string) error {
		if step == "before" {
			<-free
		}
		return nil
	}
	dir := t.TempDir()
	s, d := start(t, dir, p)
	s.after = func(time.Duration) (<-chan time.Time, func()) {
		now := make(chan time.Time, 1)
		now <- time.Time{}
		return now, func() {}
	}
	state, err := d.Open(t.Context(), opening(5))
	if err != nil {
		t.Fatal(err)
	}
	s.waits("media-empty", "no paper")
	err = d.Print(t.Context(), page(state, 5, 7, 1, "one"))
	var trouble *device.Trouble
	if !errors.As(err, &trouble) || trouble.Reason != "media-empty" || !errors.Is(err, device.ErrUnreachable) {
		t.Errorf("while it waits: %v", err)
	}
	if _, err := d.Open(t.Context(), opening(6)); !errors.Is(err, device.ErrUnreachable) {
		t.Errorf("a new claim while a unit prints: %v", err)
	}
	close(free)
	for err = errors.New("not yet"); err != nil; {
		err = d.Print(t.Context(), page(state, 5, 7, 1, "one"))
		if err != nil && !errors.Is(err, device.ErrUnreachable) {
			t.Fatal(err)
		}
	}
	if got := p.out(); len(got) != 1 {
		t.Errorf("paper: %v", got)
	}
}

func TestWhoMayPrint(t *testing.T) {
	dir := t.TempDir()
	s, d := start(t, dir, new(press))
	d.secret = "wrong"
	if _, err := d.Open(t.Context(), opening(5)); !errors.Is(err, device.ErrUnreachable) || !strings.Contains(err.Error(), "secret") {
		t.Errorf("a wrong secret: %v", err)
	}
	d.secret, d.pin = s.options.Secret, strings.Repeat("0", 64)
	_ = d.Release()
	if _, err := d.Open(t.Context(), opening(5)); err == nil || !strings.Contains(err.Error(), "pinned") {
		t.Errorf("another key than the pinned one: %v", err)
	}
	if _, err := NewServer("", Options{Dir: dir, Printer: new(press), Secret: "s"}); err == nil || !strings.Contains(err.Error(), "another head") {
		t.Errorf("a second head in the directory: %v", err)
	}
}

// A head of another cluster answers whose it is, and prints nothing before it is adopted.
func TestAdopt(t *testing.T) {
	_, d := start(t, t.TempDir(), new(press))
	if _, err := d.Open(t.Context(), opening(90)); err != nil {
		t.Fatal(err)
	}
	other := device.Opening{Token: queue.Token{Term: 1, Index: 2}, Cluster: "other"}
	s, err := d.Open(t.Context(), other)
	if err != nil || s.Cluster != "c" {
		t.Fatalf("%+v, %v", s, err)
	}
	other.Adopt = true
	if s, err = d.Open(t.Context(), other); err != nil || s.Cluster != "other" {
		t.Fatalf("adopted: %+v, %v", s, err)
	}
	if err := d.Print(t.Context(), page(s, 2, 3, 1, "one")); err != nil {
		t.Error(err)
	}
}

// Killed in the first unit of an attempt, the head does not print it again, neither for the token that it had nor for a new one, unless its
// printer says that nothing came.
func TestKilledInTheFirstUnit(t *testing.T) {
	for _, counts := range []bool{false, true} {
		t.Run(fmt.Sprintf("counts=%v", counts), func(t *testing.T) {
			dir, left := t.TempDir(), t.TempDir()
			p := &press{counts: counts}
			_, d := start(t, dir, p)
			s, err := d.Open(t.Context(), opening(5))
			if err != nil {
				t.Fatal(err)
			}
			for n := range 3 {
				if err := d.Print(t.Context(), page(s, 5, 7, n+1, "x")); err != nil {
					t.Fatal(err)
				}
			}
			p.at = func(name string) error {
				if name == "before" {
					kill(t, dir, left)
				}
				return nil
			}
			if err := d.Print(t.Context(), page(s, 5, 9, 1, "one")); err != nil {
				t.Fatal(err)
			}
			after := &press{counts: counts, paper: p.out()[:3]}
			_, d = start(t, left, after)
			if err := d.Print(t.Context(), page(s, 5, 9, 1, "one")); !errors.Is(err, device.ErrRefused) {
				t.Errorf("under the same token: %v", err)
			}
			s, err = d.Open(t.Context(), opening(6))
			if err != nil {
				t.Fatal(err)
			}
			if !counts {
				if s.Mark != (device.Mark{Attempt: 9, Unclear: true}) {
					t.Errorf("the mark says %+v", s.Mark)
				}
				if err := d.Print(t.Context(), page(s, 6, 9, 1, "one")); !errors.Is(err, device.ErrRefused) {
					t.Errorf("under a new token: %v", err)
				}
				return
			}
			if s.Mark != (device.Mark{Attempt: 7, Copy: 1, Page: 3, Closed: true}) {
				t.Errorf("the mark says %+v", s.Mark)
			}
			if err := d.Print(t.Context(), page(s, 6, 9, 1, "one")); err != nil || len(after.out()) != 4 {
				t.Errorf("its printer says that nothing came: %v, %d pages", err, len(after.out()))
			}
		})
	}
}
