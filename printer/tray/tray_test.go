package tray

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"printq/printer/device"
	"printq/queue"
)

func token(term, index uint64) queue.Token { return queue.Token{Term: term, Index: index} }

// content of a page. That who prints it is in it, too, shows whether one writer's bytes stand where another's count.
func content(t queue.Token, job uint64, page int) []byte {
	return fmt.Appendf(nil, "job %d page %d by %d.%d\n", job, page, t.Term, t.Index)
}

func unit(t queue.Token, epoch string, attempt, job uint64, page, of int) device.Unit {
	body := content(t, job, page)
	return device.Unit{
		Token: t, Epoch: epoch, Attempt: attempt, Job: job, Copy: 1, Page: page, First: page == 1, Last: page == of,
		Ext: "txt", Size: int64(len(body)), Body: bytes.NewReader(body),
	}
}

func open(t testing.TB, tray *Tray, tok queue.Token) device.State {
	t.Helper()
	s, err := tray.Open(t.Context(), device.Opening{Token: tok, Cluster: "c"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t testing.TB, dir string) *Ledger {
	t.Helper()
	l, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLedgerLines(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tray")
	tray := New(dir, Options{})
	tok := token(3, 17)
	s := open(t, tray, tok)
	for page := range 2 {
		if err := tray.Print(t.Context(), unit(tok, s.Epoch, 20, 7, page+1, 2)); err != nil {
			t.Fatal(err)
		}
	}
	u := unit(tok, s.Epoch, 21, 8, 2, 3)
	u.First = true
	if err := tray.Print(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if _, err := tray.Close(t.Context(), device.Closing{Token: tok, Epoch: s.Epoch, Attempt: 21}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "ledger.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`"epoch":"\w{26}"`).ReplaceAllString(string(b), `"epoch":"E"`)
	want := fmt.Sprintf(`{"epoch":"E","cluster":"c"}
{"claim":[3,17]}
{"term":3,"index":17,"attempt":20,"job":7,"copy":1,"page":1,"bytes":21,"sha256":"%x"}
{"term":3,"index":17,"attempt":20,"job":7,"copy":1,"page":2,"bytes":21,"sha256":"%x","last":true}
{"term":3,"index":17,"attempt":21,"job":8,"copy":1,"page":2,"bytes":21,"sha256":"%x","first":true}
{"term":3,"index":17,"close":21}
`, sha256.Sum256(content(tok, 7, 1)), sha256.Sum256(content(tok, 7, 2)), sha256.Sum256(content(tok, 8, 2)))
	if got != want {
		t.Errorf("ledger:\n%swant:\n%s", got, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "pages", "7-1-2.txt")); err != nil {
		t.Error(err)
	}
}

// A writer is a tray that is driven as the driver does: open, go on after the mark to the end of each job. It can be stopped
// before each step, and left there.
type writer struct {
	tray   *Tray
	token  queue.Token
	opened device.State // what open answered; no epoch: nothing yet
	acked  []string     // job-page
	next   func() (string, bool)
	stop   func()
	err    error
}

var errCrash = errors.New("crash")

// jobs that every writer prints, in order: attempts 1.. of jobs 1.., two pages each.
const (
	testJobs  = 2
	testPages = 2
)

func newWriter(dir string, tok queue.Token) *writer {
	w := &writer{tray: New(dir, Options{}), token: tok}
	w.next, w.stop = iter.Pull(func(yield func(string) bool) {
		crashed := false
		w.tray.before = func(step string) error {
			if crashed || !yield(step) {
				crashed = true
				return errCrash
			}
			return nil
		}
		w.err = w.print()
	})
	return w
}

func (w *writer) print() error {
	ctx := context.Background()
	s, err := w.tray.Open(ctx, device.Opening{Token: w.token, Cluster: "c"})
	if err != nil {
		return err
	}
	w.opened = s
	job, page := s.Mark.Attempt, s.Mark.Page+1
	if s.Mark.Closed {
		job, page = job+1, 1
	}
	for ; job <= testJobs; job, page = job+1, 1 {
		for ; page <= testPages; page++ {
			if err := w.tray.Print(ctx, unit(w.token, s.Epoch, job, job, page, testPages)); err != nil {
				return err
			}
			w.acked = append(w.acked, fmt.Sprintf("%d-%d", job, page))
		}
		if job < testJobs {
			next := unit(w.token, s.Epoch, 0, job+1, 1, testPages)
			if err := w.tray.Prepare(ctx, next); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish runs it to its end.
func (w *writer) finish() {
	for {
		if _, ok := w.next(); !ok {
			return
		}
	}
}

// violations compares the paper with what it should be once everybody has finished: every page of every job once, in order, with
// its bytes, and all that was acknowledged.
func violations(dir string, acked []string) (found []string) {
	l, err := Read(dir)
	if err != nil {
		return []string{err.Error()}
	}
	var paper []string
	for _, p := range l.Pages {
		paper = append(paper, fmt.Sprintf("%d-%d", p.Job, p.Page))
		if err := p.Verify(); err != nil {
			found = append(found, err.Error())
		}
		if p.SHA256 != sha256.Sum256(content(p.Token, p.Job, p.Page)) {
			found = append(found, "other bytes: "+paper[len(paper)-1])
		}
	}
	var want []string
	for job := range testJobs {
		for page := range testPages {
			want = append(want, fmt.Sprintf("%d-%d", job+1, page+1))
		}
	}
	if !slices.Equal(paper, want) {
		found = append(found, fmt.Sprintf("paper is %v, want %v", paper, want))
	}
	counts := map[string]int{}
	for _, a := range acked {
		if counts[a]++; counts[a] > 1 {
			found = append(found, "printed twice: "+a)
		}
		if !slices.Contains(paper, a) {
			found = append(found, "acknowledged, and not on paper: "+a)
		}
	}
	if parts, _ := os.ReadDir(filepath.Join(dir, partsDir)); len(parts) > 0 {
		found = append(found, fmt.Sprintf("parts left: %v", parts))
	}
	return found
}

// steps of one writer alone.
func steps(t *testing.T) int {
	w := newWriter(t.TempDir(), token(1, 1))
	n := 0
	for ; ; n++ {
		if _, ok := w.next(); !ok {
			break
		}
	}
	if w.err != nil {
		t.Fatal(w.err)
	}
	return n
}

// Whereever a writer dies, or is stopped and goes on when it has long been replaced, the paper is right.
func TestWriterStoppedAnywhere(t *testing.T) {
	t.Parallel()
	for at := range steps(t) + 1 {
		for _, dies := range []bool{true, false} {
			dir := t.TempDir()
			old, heir := newWriter(dir, token(1, 1)), newWriter(dir, token(2, 5))
			for range at {
				old.next()
			}
			if dies {
				old.stop()
			}
			heir.finish()
			if heir.err != nil {
				t.Fatalf("stopped at %d: heir: %v", at, heir.err)
			}
			old.finish()
			if !dies && old.err == nil != (len(old.acked) == testJobs*testPages) {
				t.Errorf("stopped at %d: %v after %v", at, old.err, old.acked)
			}
			// A third one tidies what the first left when it went on.
			open(t, New(dir, Options{}), token(3, 9))
			acked := heir.acked
			for _, a := range old.acked {
				if !slices.Contains(acked, a) {
					acked = append(acked, a)
				}
			}
			if v := violations(dir, acked); v != nil {
				t.Errorf("stopped at %d, dies %v: %s", at, dies, strings.Join(v, "\n"))
			}
		}
	}
}

// Two writers, one of them stopped at each of its steps while the other is stopped at each of its own.
func TestTwoWritersInterleaved(t *testing.T) {
	t.Parallel()
	n := steps(t)
	for i := 0; i <= n; i += 2 {
		for j := i / 2 % 3; j <= n; j += 3 {
			dir := t.TempDir()
			old, heir := newWriter(dir, token(1, 1)), newWriter(dir, token(1, 8))
			for range i {
				old.next()
			}
			for range j {
				heir.next()
			}
			old.finish()
			heir.finish()
			if heir.err != nil {
				t.Fatalf("%d, %d: heir: %v", i, j, heir.err)
			}
			open(t, New(dir, Options{}), token(3, 9))
			if v := violations(dir, append(heir.acked, old.acked...)); v != nil {
				t.Errorf("%d, %d: %s", i, j, strings.Join(v, "\n"))
			}
		}
	}
}

// Any number of writers, in any order, some of which die, with fragments in the ledger.
func TestWritersAtRandom(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		dir := filepath.Join(root, fmt.Sprint(run))
		writers := []*writer{}
		var acked []string
		for i := range rapid.IntRange(2, 4).Draw(t, "writers") {
			writers = append(writers, newWriter(dir, token(uint64(i/2+1), uint64(i+1))))
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			w := writers[rapid.IntRange(0, len(writers)-1).Draw(t, "who")]
			switch rapid.IntRange(0, 30).Draw(t, "what") {
			case 0:
				w.stop()
			case 1:
				fragment(t, dir)
			default:
				w.next()
			}
		}
		last := newWriter(dir, token(9, 99))
		last.finish()
		if last.err != nil {
			t.Fatal(last.err)
		}
		for _, w := range append(writers, last) {
			w.finish()
			acked = append(acked, w.acked...)
		}
		if _, err := New(dir, Options{}).Open(context.Background(), device.Opening{Token: token(10, 1), Cluster: "c"}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(acked)
		if v := violations(dir, slices.Compact(acked)); v != nil {
			t.Fatal(strings.Join(v, "\n"))
		}
	})
}

// fragment is what a writer leaves that dies in the middle of its record.
func fragment(t *rapid.T, dir string) {
	f, err := os.OpenFile(filepath.Join(dir, "ledger.ndjson"), os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, os.ErrNotExist) {
		return
	} else if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	whole := record{kind: page, token: token(1, 1), attempt: 1, job: 1, copy: 1, page: 1}.encode()
	whole = whole[:rapid.IntRange(1, len(whole)-2).Draw(t, "torn at")]
	if _, err := f.Write(whole); err != nil {
		t.Fatal(err)
	}
}

func TestUnfencedIsNoticed(t *testing.T) {
	dir := t.TempDir()
	old := newWriter(dir, token(1, 1))
	old.tray.unfenced = true
	for range 9 {
		old.next()
	}
	heir := newWriter(dir, token(2, 5))
	heir.finish()
	old.finish()
	if v := violations(dir, append(heir.acked, old.acked...)); v == nil {
		t.Error("the checker did not notice that a stale writer was acknowledged")
	}
}

func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			w := &writer{tray: New(dir, Options{}), token: token(1, uint64(i+1))}
			if err := w.print(); err != nil && !errors.Is(err, device.ErrStale) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w := &writer{tray: New(dir, Options{}), token: token(2, 1)}
	if err := w.print(); err != nil {
		t.Fatal(err)
	}
	if v := violations(dir, nil); v != nil {
		t.Error(strings.Join(v, "\n"))
	}
}

func TestMadeOnce(t *testing.T) {
	dir := t.TempDir()
	states := make([]device.State, 8)
	var wg sync.WaitGroup
	for i := range states {
		wg.Go(func() {
			s, err := New(dir, Options{}).Open(t.Context(), device.Opening{Token: token(1, 1), Cluster: "c"})
			if err != nil {
				t.Error(err)
			}
			states[i] = s
		})
	}
	wg.Wait()
	for _, s := range states {
		if !reflect.DeepEqual(s, states[0]) || s.Epoch == "" || s.Identity == "" || s.Cluster != "c" {
			t.Errorf("made twice: %+v and %+v", s, states[0])
		}
	}
}

func TestWiped(t *testing.T) {
	for name, wipe := range map[string]func(dir string) error{
		"removed":   func(dir string) error { return os.Remove(filepath.Join(dir, "ledger.ndjson")) },
		"truncated": func(dir string) error { return os.Truncate(filepath.Join(dir, "ledger.ndjson"), 0) },
		"all":       os.RemoveAll,
		"replaced": func(dir string) error {
			path := filepath.Join(dir, "ledger.ndjson")
			b, _ := os.ReadFile(path)
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.WriteFile(path, b[:bytes.IndexByte(b, '\n')+1], 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "tray")
			tray := New(dir, Options{})
			tok := token(1, 1)
			s := open(t, tray, tok)
			if err := tray.Print(t.Context(), unit(tok, s.Epoch, 1, 1, 1, 2)); err != nil {
				t.Fatal(err)
			}
			if err := wipe(dir); err != nil {
				t.Fatal(err)
			}
			if err := tray.Print(t.Context(), unit(tok, s.Epoch, 1, 1, 2, 2)); !errors.Is(err, device.ErrRefused) {
				t.Errorf("print after the wipe: %v", err)
			}
			again := open(t, tray, token(1, 5))
			if again.Mark != (device.Mark{Closed: true}) || (again.Epoch == s.Epoch) != (name == "replaced") || (again.Identity == s.Identity) == (name == "all") {
				t.Errorf("after the wipe: %+v, before: %+v", again, s)
			}
		})
	}
}

func TestAdopt(t *testing.T) {
	dir := t.TempDir()
	open(t, New(dir, Options{}), token(50, 1000))
	tray, tok := New(dir, Options{}), token(2, 7)
	s, err := tray.Open(t.Context(), device.Opening{Token: tok, Cluster: "other"})
	if err != nil || s.Cluster != "c" {
		t.Fatalf("%+v, %v", s, err)
	}
	if err := tray.Print(t.Context(), unit(tok, s.Epoch, 1, 1, 1, 1)); err == nil {
		t.Error("printed on another cluster's tray")
	}
	if l := read(t, dir); l.High != token(50, 1000) {
		t.Error("the other cluster's fence was moved")
	}
	s2, err := tray.Open(t.Context(), device.Opening{Token: tok, Cluster: "other", Adopt: true})
	if err != nil || s2.Cluster != "other" || s2.Epoch == s.Epoch || s2.Identity != s.Identity {
		t.Fatalf("%+v, %v", s2, err)
	}
	if err := tray.Print(t.Context(), unit(tok, s2.Epoch, 1, 1, 1, 1)); err != nil {
		t.Error(err)
	}
}

// A writer does not decode its own page's line, and so means what everybody else reads.
func TestOwnLineIsWhatOthersRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := record{
			kind: page, token: token(rapid.Uint64().Draw(t, "term"), rapid.Uint64().Draw(t, "index")),
			attempt: rapid.Uint64().Draw(t, "attempt"), job: rapid.Uint64().Draw(t, "job"),
			copy: rapid.Int().Draw(t, "copy"), page: rapid.Int().Draw(t, "page"), bytes: rapid.Int64().Draw(t, "bytes"),
			first: rapid.Bool().Draw(t, "first"), last: rapid.Bool().Draw(t, "last"),
		}
		l := file{}
		l.remember(r, r.encode())
		line := r.encode()
		if got, want := l.decode(line), decode(line[:len(line)-1]); got != want {
			t.Errorf("%s means %+v to its writer, and %+v to others", line, got, want)
		}
	})
}

func TestBodies(t *testing.T) {
	dir := t.TempDir()
	tray, tok := New(dir, Options{}), token(1, 1)
	s := open(t, tray, tok)
	broken := errors.New("unreadable")
	for _, body := range []*bytes.Reader{bytes.NewReader(make([]byte, 3)), bytes.NewReader(make([]byte, 99))} {
		u := unit(tok, s.Epoch, 1, 1, 1, 1)
		u.Body = body
		if err := tray.Print(t.Context(), u); err == nil || errors.Is(err, device.ErrUnreachable) {
			t.Errorf("a body of another size: %v", err)
		}
	}
	u := unit(tok, s.Epoch, 1, 1, 1, 1)
	u.Body = errReader{broken}
	if err := tray.Print(t.Context(), u); !errors.Is(err, broken) || errors.Is(err, device.ErrUnreachable) {
		t.Errorf("an unreadable body: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	u.Body = cancelReader{cancel}
	if err := tray.Print(ctx, u); !errors.Is(err, context.Canceled) {
		t.Errorf("leadership lost in the middle of a page: %v", err)
	}
	if l := read(t, dir); len(l.Pages) != 0 || len(l.Ignored) != 0 {
		t.Errorf("%+v", l)
	}
	if parts, _ := os.ReadDir(filepath.Join(dir, partsDir)); len(parts) != 0 {
		t.Errorf("parts left: %v", parts)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

type cancelReader struct{ cancel func() }

func (r cancelReader) Read(p []byte) (int, error) {
	r.cancel()
	return copy(p, "x"), nil
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"term":3,"index":17,"attempt":20,"job":7,"copy":1,"page":1,"bytes":13,"sha256":"00","last":true}`), 5)
	f.Add([]byte(`{"claim":[1,2]}`), 3)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		if r := decode(b); r.kind != torn && r.kind != epoch {
			again := decode(bytes.TrimSuffix(r.encode(), []byte("\n")))
			if !reflect.DeepEqual(again, r) {
				t.Errorf("%s: %+v, again %+v", b, r, again)
			}
		}
		// A fragment of one of our records never hides in the record appended to it.
		whole := record{kind: page, token: token(1, 2), attempt: 3, job: 4, copy: 1, page: 1}.encode()
		cut = 1 + (cut&0xffff)%(len(whole)-1)
		if r := decode(append(whole[:cut:cut], `{"claim":[7,8]}`...)); r.kind != torn {
			t.Errorf("a fragment of %d bytes and a record make %+v", cut, r)
		}
	})
}
