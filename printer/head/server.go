package head

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"printq/printer/device"
	"printq/queue"
)

// Options of a Server.
type Options struct {
	// Dir is where the head's mark and key lie, and units on their way. It must be durable, and no other head may use it.
	Dir string
	// Printer is what the head drives, alone, and URI its name for people.
	Printer device.Stream
	URI     string
	// Secret that every request must carry.
	Secret string
	// Version of the program, for people.
	Version string

	// After is time.After that can be stopped; nil: the clock's. For tests.
	After func(time.Duration) (<-chan time.Time, func())
}

// A Server is a head. Its state belongs to whoever holds mu; at most one unit is on its way to the printer.
type Server struct {
	options  Options
	printer  device.Stream
	identity string
	after    func(time.Duration) (<-chan time.Time, func())
	ctx      context.Context // of the work; it ends with Run
	stop     context.CancelCauseFunc
	running  sync.WaitGroup

	printing sync.Mutex // the printer, which takes one request at a time; locked before mu
	ready    readiness

	mu             sync.Mutex
	store          *store
	about          device.State // what the printer last said of itself
	work           *work        // under way; nil: none
	reason, detail string       // that the printer waits for
	failed         error        // the store's: nothing is printed any more
}

// NewServer opens the head's store. A unit that was on its way when the head was killed is settled at the next open, with the
// printer's counter where it has one.
func NewServer(identity string, o Options) (*Server, error) {
	if o.Secret == "" {
		return nil, errors.New("a head needs a secret, or anybody could print on it")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the head's directory: %w", err)
	}
	left, _ := filepath.Glob(filepath.Join(o.Dir, "unit-*"))
	for _, path := range left {
		_ = os.Remove(path) // of a unit that was not begun, or is settled by the mark
	}
	st, err := openStore(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, printer: o.Printer, identity: identity, store: st, after: o.After}
	if s.after == nil {
		s.after = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTimer(d)
			return t.C, func() { t.Stop() }
		}
	}
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	return s, nil
}

// Close ends what is under way, and lets go of the printer and the store. A unit that it cuts off is in the mark as unclear.
func (s *Server) Close() error {
	s.stop(errors.New("the head stops"))
	s.running.Wait()
	return errors.Join(s.printer.Release(), s.store.close())
}

// Failed is closed when the head cannot go on; Err says why.
func (s *Server) Failed() <-chan struct{} { return s.ctx.Done() }

// Err is why Failed is closed.
func (s *Server) Err() error { return context.Cause(s.ctx) }

// ServeHTTP answers the protocol of the package's comment.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := s.serve(r)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case errors.Is(err, errForbidden):
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(Problem{Kind: "failed", Detail: err.Error()})
	case err != nil:
		status, p := problemOf(err)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(p)
	case answer == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		_ = json.NewEncoder(w).Encode(answer)
	}
}

var errForbidden = errors.New("the secret is missing or wrong")

func (s *Server) serve(r *http.Request) (any, error) {
	if !s.allowed(r) {
		return nil, errForbidden
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /v1/open":
		var o Open
		if err := read(r.Body, &o); err != nil {
			return nil, err
		}
		return s.open(r.Context(), o)
	case "POST /v1/print":
		return nil, s.take(r)
	case "POST /v1/close":
		var c Close
		if err := read(r.Body, &c); err != nil {
			return nil, err
		}
		return s.close(r.Context(), c)
	case "GET /v1/status":
		return s.status(), nil
	}
	return nil, fmt.Errorf("%s %s is not of a print head's protocol", r.Method, r.URL.Path)
}

func (s *Server) allowed(r *http.Request) bool {
	given := sha256.Sum256([]byte(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
	want := sha256.Sum256([]byte(s.options.Secret))
	return subtle.ConstantTimeCompare(given[:], want[:]) == 1
}

func read(body io.Reader, v any) error {
	if err := json.NewDecoder(io.LimitReader(body, maxJSON)).Decode(v); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	return nil
}

// take spools a unit's bytes, and prints it.
func (s *Server) take(r *http.Request) error {
	var u Unit
	if err := read(strings.NewReader(r.Header.Get("Printq-Unit")), &u); err != nil {
		return err
	}
	if u.Size < 0 || u.Size > MaxUnit || u.PerCopy < 1 || u.Copy < 1 || u.Page < 1 || u.Page > u.PerCopy {
		return fmt.Errorf("unit of %d bytes, copy %d, page %d of %d: not a unit", u.Size, u.Copy, u.Page, u.PerCopy)
	}
	if done, err := s.known(u); done || err != nil {
		return err // no need to take its bytes
	}
	f, err := os.CreateTemp(s.options.Dir, "unit-")
	if err != nil {
		return &device.Trouble{Reason: "spool-area-full", Detail: err.Error()}
	}
	n, err := io.Copy(f, io.LimitReader(r.Body, u.Size+1))
	if err == nil && n != u.Size {
		err = fmt.Errorf("the unit has %d bytes of %d", n, u.Size)
	}
	if err != nil {
		discard(f)
		return &device.Trouble{Reason: "connecting-to-device", Detail: err.Error()}
	}
	return s.print(r.Context(), u, f)
}

// known reports whether a unit is out already, or is refused.
func (s *Server) known(u Unit) (done bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work != nil && s.work.unit == u {
		return false, nil
	}
	f := s.store.record.fence()
	if err := f.Check(u.Token.queue(), u.Epoch); err != nil {
		return false, err
	}
	verdict, err := f.Print(device.Page{
		Token: u.Token.queue(), Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, First: u.First, Last: u.Last, PerCopy: u.PerCopy,
	})
	return verdict == device.Repeats, err
}

// open raises the fence, once no unit of an older token is on its way.
func (s *Server) open(ctx context.Context, o Open) (*State, error) {
	if err := s.quiet(ctx); err != nil {
		return nil, err
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work != nil {
		return nil, s.trouble("a unit of an older claim is printing")
	}
	r := s.store.record
	if r.Cluster != "" && r.Cluster != o.Cluster && !o.Adopt {
		return s.state(), nil
	}
	f := r.fence()
	if o.Adopt && r.Cluster != o.Cluster {
		f.High = queue.Token{} // another cluster's tokens say nothing about ours
	}
	if err := f.Open(o.Token.queue()); err != nil {
		return nil, err
	}
	f.Mark = r.Mark.device() // what Begun says of it may yet prove untrue
	f.Cluster = o.Cluster
	if r.keep(f); r != s.store.record {
		if err := s.keep(r); err != nil {
			return nil, err
		}
	}
	return s.state(), nil
}

// quiet waits for the unit that is on its way.
func (s *Server) quiet(ctx context.Context) error {
	s.mu.Lock()
	w := s.work
	s.mu.Unlock()
	if w == nil {
		return nil
	}
	timer, stop := s.after(Patience)
	defer stop()
	select {
	case <-w.done:
		return nil
	case <-timer:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble("a unit is printing")
}

// settle asks the printer what it is, and about a unit that was begun and did not end: where its counter has not moved, it did not come
// out.
func (s *Server) settle(ctx context.Context) error {
	if !s.printing.TryLock() {
		return &device.Trouble{Reason: "connecting-to-device", Detail: "the printer is being asked already"}
	}
	defer s.printing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	s.ready = readiness{}
	about, err := s.printer.Open(ctx, device.Opening{Token: queue.Token{Term: 1, Index: 1}})
	if err != nil {
		return asTrouble(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.about = about
	r := s.store.record
	if s.work != nil || r.Begun == nil || !r.Begun.Counts || !about.Counts || about.Counter != r.Begun.Counter {
		return nil
	}
	r.Begun = nil
	return s.keep(r)
}

// close ends an attempt. A unit of it that is under way ends first.
func (s *Server) close(ctx context.Context, c Close) (*State, error) {
	if err := s.quiet(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work != nil {
		return nil, s.trouble("a unit is printing")
	}
	r := s.store.record
	f := r.fence()
	if err := f.Check(c.Token.queue(), c.Epoch); err != nil {
		return nil, err
	}
	if err := f.Close(c.Token.queue(), c.Attempt); err != nil {
		return nil, err
	}
	if f.Mark.Closed {
		r.keep(f)
		r.Begun = nil // the mark says it now
	}
	if err := s.keep(r); err != nil {
		return nil, err
	}
	return s.state(), nil
}

// state is the record, as it is answered. The caller holds mu.
func (s *Server) state() *State {
	f := s.store.record.fence()
	return &State{Mark: markOf(f.Mark), Epoch: f.Epoch, Cluster: f.Cluster, About: s.about.About, Formats: s.about.Formats}
}

func (s *Server) status() *Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Status{
		Version: s.options.Version, Identity: s.identity, Device: s.options.URI, State: *s.state(), Token: s.store.record.High,
		Reason: s.reason, Detail: s.detail,
	}
}
