package tray

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"printq/printer/device"
	"printq/queue"
)

// A Ledger is all that a tray's ledger says.
type Ledger struct {
	Epoch   string
	Cluster string
	// High is the highest token opened, Mark the page that came out last.
	High queue.Token
	Mark device.Mark
	// Pages that came out, in the order in which they did.
	Pages []Page
	// Ignored are the lines that do not count, in order.
	Ignored []Ignored
}

// A Page is a line that counts.
type Page struct {
	Line        int // in the ledger, from 1
	Epoch       string
	Token       queue.Token
	Attempt     uint64
	Job         uint64
	Copy, Page  int
	Bytes       int64
	SHA256      [32]byte
	First, Last bool
	// Path of the page's file; empty if there is none (yet, while the tray is being written to).
	Path string
}

// Ignored is a line that does not count, and why: device.ErrStale or device.ErrRefused, and what it tried.
type Ignored struct {
	Line int
	Text string
	// Page tells whether it is a page that was not let out, of that token.
	Page  bool
	Token queue.Token
	Err   error
}

// Read reads the ledger of the tray in dir. It may be read at any time; a line that is being written is not there yet. Of a tray that
// was never opened it says that no file exists (fs.ErrNotExist).
func Read(dir string) (*Ledger, error) {
	f, err := os.Open(filepath.Join(dir, "ledger.ndjson"))
	if err != nil {
		return nil, fmt.Errorf("read tray: %w", err)
	}
	defer f.Close()
	paths, err := pagePaths(dir)
	if err != nil {
		return nil, fmt.Errorf("read tray: %w", err)
	}
	l := new(Ledger)
	var state fold
	lines := bufio.NewReaderSize(f, 64<<10)
	for n := 1; ; n++ {
		text, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read tray: %w", err)
		}
		l.line(&state, n, strings.TrimSuffix(text, "\n"), paths)
	}
	l.Epoch, l.Cluster, l.High, l.Mark = state.fence.Epoch, state.fence.Cluster, state.fence.High, state.fence.Mark
	return l, nil
}

func (l *Ledger) line(state *fold, n int, text string, paths map[string]string) {
	if text == "" { // what closed a fragment
		return
	}
	r := decode([]byte(text))
	v, err := state.next(r)
	switch {
	case err == nil && v == device.Repeats:
		err = fmt.Errorf("%w: the page is out already", device.ErrRefused)
		fallthrough
	case err != nil:
		l.Ignored = append(l.Ignored, Ignored{Line: n, Text: text, Page: r.kind == page, Token: r.token, Err: err})
	case v == device.Prints:
		l.Pages = append(l.Pages, Page{
			Line: n, Epoch: state.fence.Epoch, Token: r.token, Attempt: r.attempt, Job: r.job, Copy: r.copy, Page: r.page,
			Bytes: r.bytes, SHA256: r.sha256, First: r.first, Last: r.last,
			Path: paths[fmt.Sprintf("%d-%d-%d", r.job, r.copy, r.page)],
		})
	}
}

// pagePaths maps JOB-COPY-PAGE to the path.
func pagePaths(dir string) (map[string]string, error) {
	dir = filepath.Join(dir, pagesDir)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	paths := make(map[string]string, len(entries))
	for _, e := range entries {
		stem, _, _ := strings.Cut(e.Name(), ".")
		paths[stem] = filepath.Join(dir, e.Name())
	}
	return paths, nil
}

// Verify reads the page's file and compares it with the line.
func (p Page) Verify() error {
	if p.Path == "" {
		return fmt.Errorf("job %d copy %d page %d: its file is missing", p.Job, p.Copy, p.Page)
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	if n != p.Bytes || [32]byte(h.Sum(nil)) != p.SHA256 {
		return fmt.Errorf("%s: its %d bytes are not those of ledger line %d", p.Path, n, p.Line)
	}
	return nil
}
