package tray

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"printq/printer/device"
	"printq/queue"
)

const (
	pagesDir = "pages"
	partsDir = "parts"
)

// A part is a page's file before its line counts. Its name holds the token, so nobody else writes to it, and the page that
// it becomes, so that whoever comes next can place it.
type part struct {
	// ahead: it was written before anybody knew whether it would print, and is of any attempt after that one.
	ahead   bool
	token   queue.Token
	attempt uint64
	job     uint64
	copy    int
	page    int
	ext     string
}

// aheadPrefix begins the name of a part that was written ahead.
const aheadPrefix = "ahead-"

func partOf(u device.Unit) part {
	return part{token: u.Token, attempt: u.Attempt, job: u.Job, copy: u.Copy, page: u.Page, ext: u.Ext}
}

func (p part) name() string {
	name := fmt.Sprintf("%d-%d-%d-%s", p.token.Term, p.token.Index, p.attempt, p.final())
	if p.ahead {
		name = aheadPrefix + name
	}
	return name
}

// final is the name in pages/.
func (p part) final() string { return fmt.Sprintf("%d-%d-%d.%s", p.job, p.copy, p.page, p.ext) }

func parsePart(name string) (part, bool) {
	var p part
	rest, ahead := strings.CutPrefix(name, aheadPrefix)
	stem, ext, _ := strings.Cut(rest, ".")
	n, err := fmt.Sscanf(stem, "%d-%d-%d-%d-%d-%d", &p.token.Term, &p.token.Index, &p.attempt, &p.job, &p.copy, &p.page)
	p.ext, p.ahead = ext, ahead
	return p, err == nil && n == 6 && p.name() == name
}

// of reports whether the part is the page of that line.
func (p part) of(r record) bool {
	fits := p.attempt == r.attempt
	if p.ahead {
		fits = p.attempt < r.attempt
	}
	return fits && p.token == r.token && p.job == r.job && p.copy == r.copy && p.page == r.page
}

// write brings the unit's bytes to the disk under the part's name, durably, and says what they are. An error of the body is
// returned as it is; those of the disk are device.ErrUnreachable.
func (t *Tray) write(ctx context.Context, p part, u device.Unit) (record, error) {
	if err := t.step("write"); err != nil {
		return record{}, err
	}
	f, err := t.disk.create(filepath.Join(t.dir, partsDir, p.name()))
	if err != nil {
		return record{}, unreachable("make the page's file", err)
	}
	r := lineOf(u)
	if r.bytes, r.sha256, err = fill(f, bodyErrors{ctx, io.LimitReader(u.Body, u.Size+1)}); err == nil && r.bytes != u.Size {
		err = fmt.Errorf("unit is %d bytes, not %d: %w", r.bytes, u.Size, io.ErrUnexpectedEOF)
	}
	if err != nil {
		_ = f.Close()
		return record{}, err
	}
	if err := errors.Join(t.step("sync part"), f.Sync(), f.Close()); err != nil {
		return record{}, unreachable("sync the page's file", err)
	}
	// The line must not be durable before the name of what it counts.
	if err := errors.Join(t.step("sync parts"), t.disk.syncDir(filepath.Join(t.dir, partsDir))); err != nil {
		return record{}, unreachable("sync the page's name", err)
	}
	return r, nil
}

// lineOf is the unit's line, but for what its bytes are.
func lineOf(u device.Unit) record {
	return record{
		kind: page, token: u.Token, attempt: u.Attempt, job: u.Job, copy: u.Copy, page: u.Page,
		first: u.First && (u.Copy != 1 || u.Page != 1), last: u.Last,
	}
}

// fill writes all that is read to a page's file.
func fill(f pageFile, from io.Reader) (n int64, sum [32]byte, err error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	h := sha256.New()
	for {
		k, end := io.ReadFull(from, *buf)
		if k > 0 {
			h.Write((*buf)[:k])
			if _, err := f.Write((*buf)[:k]); err != nil {
				return n, sum, unreachable("write the page's file", err)
			}
			n += int64(k)
		}
		switch end {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF: // the latter is ReadFull's own
			h.Sum(sum[:0])
			return n, sum, nil
		default:
			return n, sum, end
		}
	}
}

// buffers are what pages pass through.
var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// bodyErrors ends with its context, between two reads.
type bodyErrors struct {
	ctx context.Context
	r   io.Reader
}

func (b bodyErrors) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.r.Read(p)
}

func unreachable(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", device.ErrUnreachable, what, err)
}

// place moves the part of a line that counts into pages/. If somebody did that before us (we were stopped meanwhile, and a new
// owner found the line), there is nothing left to do: so what was printed later under the same name is never
// overwritten.
func (t *Tray) place(p part) error {
	if err := t.step("place"); err != nil {
		return err
	}
	err := os.Rename(filepath.Join(t.dir, partsDir, p.name()), filepath.Join(t.dir, pagesDir, p.final()))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return unreachable("place the page", err)
	}
	delete(t.ledger.unplaced, p.token)
	t.forget(p)
	return nil
}

// sweep goes through the parts that were left, after our claim is durable: from now on no line of an older token can begin to count.
// So a part is that of a line which counts, and is placed, or will never be needed, and goes.
func (t *Tray) sweep() error {
	names, err := os.ReadDir(filepath.Join(t.dir, partsDir))
	if err != nil {
		return unreachable("look for unfinished pages", err)
	}
	for _, entry := range names {
		p, ok := parsePart(entry.Name())
		if !ok || t.ledger.fold.fence.High.Less(p.token) {
			continue
		}
		if err := t.sweepOne(p); err != nil {
			return err
		}
	}
	clear(t.ledger.unplaced)
	return nil
}

func (t *Tray) sweepOne(p part) error {
	path := filepath.Join(t.dir, partsDir, p.name())
	if r, ok := t.ledger.unplaced[p.token]; ok && p.of(r) {
		same, err := holds(path, r)
		if err != nil {
			return unreachable("check an unfinished page", err)
		}
		if same {
			return t.place(p)
		}
	}
	if err := t.step("drop"); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return unreachable("drop an unfinished page", err)
	}
	return nil
}

// holds reports whether the file has the line's bytes. One that has just gone was placed by its owner.
func holds(path string, r record) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return false, err
	}
	return [32]byte(h.Sum(nil)) == r.sha256, nil
}

func (p part) remove(dir string) { _ = os.Remove(filepath.Join(dir, partsDir, p.name())) }

// find finds the part of a line that counts. There is none any more once it was placed.
func (t *Tray) find(r record) (part, bool, error) {
	names, err := os.ReadDir(filepath.Join(t.dir, partsDir))
	if err != nil {
		return part{}, false, unreachable("look for an unfinished page", err)
	}
	for _, entry := range names {
		if p, ok := parsePart(entry.Name()); ok && p.of(r) {
			return p, true, nil
		}
	}
	delete(t.ledger.unplaced, r.token)
	return part{}, false, nil
}
