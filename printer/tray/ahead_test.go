package tray

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"printq/printer/device"
)

// An ahead is a tray that has printed job 1, its only page, in attempt 1, and has prepared job 2.
type aheadTest struct {
	*Tray
	t     *testing.T
	epoch string
	syncs int // of parts
}

var aheadToken = token(1, 1)

func newAhead(t *testing.T) *aheadTest {
	a := &aheadTest{t: t}
	dir := t.TempDir()
	create := func(path string) (pageFile, error) {
		f, err := createPage(path)
		a.syncs++ // each is synced once
		return f, err
	}
	a.Tray = on(disk{create, syncData, syncDir, rewrite}, dir, Options{})
	a.epoch = open(t, a.Tray, aheadToken).Epoch
	a.print(1, 1, 1, 1)
	a.prepare(2)
	return a
}

func (a *aheadTest) prepare(job uint64) {
	a.t.Helper()
	if err := a.Prepare(a.t.Context(), unit(aheadToken, a.epoch, 0, job, 1, 1)); err != nil {
		a.t.Fatal(err)
	}
}

func (a *aheadTest) print(attempt, job uint64, page, of int) {
	a.t.Helper()
	if err := a.Print(a.t.Context(), unit(aheadToken, a.epoch, attempt, job, page, of)); err != nil {
		a.t.Fatal(err)
	}
}

// paper checks that these jobs are out, with one page each, that nothing else is in pages/, and how many files were made.
func (a *aheadTest) paper(files int, jobs ...uint64) {
	a.t.Helper()
	if a.syncs != files {
		a.t.Errorf("%d pages were written, not %d", a.syncs, files)
	}
	l := read(a.t, a.dir)
	for i, p := range l.Pages {
		if err := p.Verify(); err != nil || i >= len(jobs) || p.Job != jobs[i] {
			a.t.Errorf("page %d: %+v: %v", i, p, err)
		}
	}
	if len(l.Pages) != len(jobs) {
		a.t.Errorf("%d pages, not %d", len(l.Pages), len(jobs))
	}
	if parts := a.names(partsDir); len(parts) > 0 {
		a.t.Errorf("parts left: %v", parts)
	}
	if pages := a.names(pagesDir); len(pages) != len(jobs) {
		a.t.Errorf("pages/ holds %v", pages)
	}
}

func (a *aheadTest) names(sub string) (names []string) {
	entries, err := os.ReadDir(filepath.Join(a.dir, sub))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestPreparedPageIsPrinted(t *testing.T) {
	a := newAhead(t)
	if names := a.names(pagesDir); len(names) != 1 {
		t.Errorf("a page that was prepared is out: %v", names)
	}
	a.print(2, 2, 1, 1)
	a.paper(2, 1, 2)
}

func TestPreparedForNothing(t *testing.T) {
	t.Run("another job comes first", func(t *testing.T) {
		a := newAhead(t)
		a.print(2, 3, 1, 1)
		a.print(3, 2, 1, 1)
		a.paper(4, 1, 3, 2)
	})
	t.Run("another job is prepared", func(t *testing.T) {
		a := newAhead(t)
		a.prepare(3)
		a.print(2, 3, 1, 1)
		a.paper(3, 1, 3)
	})
	t.Run("a later page comes first", func(t *testing.T) {
		a := newAhead(t)
		u := unit(aheadToken, a.epoch, 2, 2, 2, 2)
		u.First = true
		if err := a.Print(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		a.paper(3, 1, 2)
	})
	t.Run("somebody removed it", func(t *testing.T) {
		a := newAhead(t)
		for _, name := range a.names(partsDir) {
			if err := os.Remove(filepath.Join(a.dir, partsDir, name)); err != nil {
				t.Fatal(err)
			}
		}
		a.print(2, 2, 1, 1)
		a.paper(3, 1, 2)
	})
	t.Run("it is opened again", func(t *testing.T) {
		a := newAhead(t)
		open(t, a.Tray, aheadToken)
		a.print(2, 2, 1, 1)
		a.paper(3, 1, 2)
	})
	t.Run("it is let go", func(t *testing.T) {
		a := newAhead(t)
		if err := a.Release(); err != nil {
			t.Fatal(err)
		}
		a.print(2, 2, 1, 1)
		a.paper(3, 1, 2)
	})
	t.Run("another leader comes", func(t *testing.T) {
		a := newAhead(t)
		open(t, New(a.dir, Options{}), token(2, 1))
		if err := a.Print(t.Context(), unit(aheadToken, a.epoch, 2, 2, 1, 1)); !errors.Is(err, device.ErrStale) {
			t.Error(err)
		}
		if err := a.Prepare(t.Context(), unit(aheadToken, a.epoch, 0, 2, 1, 1)); !errors.Is(err, device.ErrStale) {
			t.Error(err)
		}
		a.paper(2, 1)
	})
}

// A job was stopped after its first page, which somebody took out of the tray, and is to print again. That page does not come back
// because it was prepared once more.
func TestPreparedAgain(t *testing.T) {
	a := newAhead(t)
	a.print(2, 2, 1, 2)
	if _, err := a.Close(t.Context(), device.Closing{Token: aheadToken, Epoch: a.epoch, Attempt: 2}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(a.dir, pagesDir, "2-1-1.txt")); err != nil {
		t.Fatal(err)
	}
	a.prepare(2)
	open(t, New(a.dir, Options{}), token(2, 1))
	if pages := a.names(pagesDir); len(pages) != 1 || len(a.names(partsDir)) > 0 {
		t.Errorf("pages/ holds %v", pages)
	}
}
