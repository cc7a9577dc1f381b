package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A fake acknowledges each document after a while, and tells its tails another while later.
type fake struct {
	takes, tells time.Duration
	fails        func(n uint64) bool

	mu    sync.Mutex // guards what follows
	seen  map[uint64]int
	names map[string]int
	tails []chan uint64
}

func newFake() *fake { return &fake{seen: map[uint64]int{}, names: map[string]int{}} }

func (f *fake) Put(_ context.Context, _ int, n uint64, documents [][]byte) error {
	time.Sleep(f.takes)
	if f.fails != nil && f.fails(n) {
		return errors.New("no")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, d := range documents {
		f.seen[n+uint64(i)]++
		f.names[string(d)]++
		for _, t := range f.tails {
			t <- n + uint64(i)
		}
	}
	return nil
}

func (f *fake) Tail(ctx context.Context, _ bool, ready func(), line func(uint64) bool) error {
	lines := make(chan uint64, 1000)
	f.mu.Lock()
	f.tails = append(f.tails, lines)
	f.mu.Unlock()
	ready()
	for {
		select {
		case n := <-lines:
			time.Sleep(f.tells)
			if !line(n) {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fake) Leader(context.Context) (int, error) { return 2, nil }
func (f *fake) Repeats() map[string]int             { return nil }
func (f *fake) Close()                              {}

func TestPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.takes = 10 * time.Millisecond
		r, err := put(t.Context(), f, Work{Clients: 4, Size: 100, Batch: 3, Warmup: time.Second, Duration: 2005 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		// 4 clients, 100 operations a second each, of 3 documents. One that ended as the warm-up did counts too, and so does the last,
		// which began before the end.
		if r.Documents != 2424 || r.P50 != 10 || r.P99 != 10 || r.Errors != 0 || r.Seconds != 2.01 {
			t.Errorf("%+v", r)
		}
		for n, times := range f.seen {
			if times != 1 {
				t.Fatalf("document %d was sent %d times", n, times)
			}
		}
		if len(f.names) != len(f.seen) {
			t.Errorf("%d documents, of which %d are different", len(f.seen), len(f.names))
		}
	})
}

func TestPutAtARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.takes = 10 * time.Millisecond
		// One client can do 100 a second, so the later ones wait for their turn, and that counts.
		r, err := put(t.Context(), f, Work{Clients: 1, Size: 16, Rate: 200, Duration: time.Second})
		if err != nil || r.P50 < 200 || r.Max < 450 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestPutCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.fails = func(n uint64) bool { return n == 5 }
		r, err := put(t.Context(), f, Work{Clients: 3, Size: 16, Count: 10, Duration: time.Minute})
		if err != nil || r.Documents != 9 || r.Errors != 1 || r.FirstError != "no" {
			t.Errorf("%+v, %v", r, err)
		}
		f.fails = func(uint64) bool { return true }
		if r, err = put(t.Context(), f, Work{Clients: 3, Size: 16, Duration: time.Second}); err == nil {
			t.Errorf("%+v where nothing was acknowledged", r)
		}
	})
}

func TestTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.takes, f.tells = 2*time.Millisecond, 3*time.Millisecond
		r, err := tail(t.Context(), f, Work{Clients: 2, Size: 16, Rate: 50, Duration: 990 * time.Millisecond, Tails: 5})
		if err != nil || r.Documents != 50 || r.P50 != 3 || r.P99 != 3 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestGenerator(t *testing.T) {
	var out bytes.Buffer
	err := Main(t.Context(), strings.NewReader(`{"do":"leader"}`), &out, func(Work) (Target, error) { return newFake(), nil })
	var r Result
	if err != nil || json.Unmarshal(out.Bytes(), &r) != nil || r.Leader != 2 {
		t.Errorf("%v: %s", err, out.String())
	}
	err = Main(t.Context(), strings.NewReader(`{"do":"dance"}`), &out, func(Work) (Target, error) { return newFake(), nil })
	if err == nil {
		t.Error("a work that is none")
	}
}
