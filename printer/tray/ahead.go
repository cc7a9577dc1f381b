package tray

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"printq/printer/device"
	"printq/queue"
)

// prepared is a page whose bytes and name are durable already, in parts/, and what its line says of them.
//
// Its file's name cannot hold the attempt, which is not known yet, but says after which one it was written. So who finds it with a line
// of its job can tell a page that was printed from it from one that had been printed before.
//
// It is good for the next page only. Whoever finds it after a crash knows the last page line of a token, and places no other; so the name of
// the page before must be durable before the line of this one, which the sync of this one's name saw to.
type prepared struct {
	part part
	line record
}

// Prepare implements device.Preparer. It saves a page two of its three syncs, while the log is busy with the page before.
func (t *Tray) Prepare(ctx context.Context, u device.Unit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := t.ready(u.Token); err != nil {
		return err
	}
	fence := t.ledger.fold.fence
	if err := fence.Check(u.Token, u.Epoch); err != nil {
		return err
	}
	t.unprepare()
	p := partOf(u)
	p.ahead, p.attempt = true, fence.Mark.Attempt
	r, err := t.write(ctx, p, u)
	if err != nil {
		return t.drop(p, err)
	}
	t.ahead = &prepared{p, r}
	return nil
}

// page is the unit's bytes, durable under a name in parts/, and its line.
func (t *Tray) page(ctx context.Context, u device.Unit) (part, record, error) {
	if r, ok := t.prepared(u); ok {
		return t.ahead.part, r, nil
	}
	t.unprepare() // before the sync of a name: it must not come back
	p := partOf(u)
	r, err := t.write(ctx, p, u)
	return p, r, err
}

// prepared tells whether the unit was prepared, and its line.
func (t *Tray) prepared(u device.Unit) (record, bool) {
	if t.ahead == nil || t.ahead.part.ext != u.Ext || t.ahead.line.bytes != u.Size {
		return record{}, false
	}
	r := lineOf(u)
	r.bytes, r.sha256 = t.ahead.line.bytes, t.ahead.line.sha256
	if !t.ahead.part.of(r) {
		return record{}, false
	}
	// It may have lain there for long.
	info, err := os.Stat(filepath.Join(t.dir, partsDir, t.ahead.part.name()))
	return r, err == nil && info.Size() == u.Size
}

// unprepare drops a page that was prepared for nothing. The caller has looked for its line, which may count though the write of it
// failed: then it was placed.
func (t *Tray) unprepare() {
	if t.ahead != nil {
		_ = t.drop(t.ahead.part, nil)
	}
}

// tidy drops what was prepared under the token and is not known any more. Else it could be taken for a page that was printed from
// another file since.
func (t *Tray) tidy(token queue.Token) error {
	t.ahead = nil
	names, err := os.ReadDir(filepath.Join(t.dir, partsDir))
	if err != nil {
		return unreachable("look for pages that were prepared", err)
	}
	for _, entry := range names {
		p, ok := parsePart(entry.Name())
		if !ok || !p.ahead || p.token != token {
			continue
		}
		if err := os.Remove(filepath.Join(t.dir, partsDir, p.name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return unreachable("drop a page that was prepared", err)
		}
	}
	return nil
}

// forget: the part is no more.
func (t *Tray) forget(p part) {
	if t.ahead != nil && t.ahead.part == p {
		t.ahead = nil
	}
}
