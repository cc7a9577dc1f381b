// Package tray is a printer made of a directory: the embedded default, and the reference for a fenced device.
//
//	DIR/id                      who the tray is: random, made once
//	DIR/pages/JOB-COPY-PAGE.EXT the bytes of each page (decimal, no padding)
//	DIR/parts/                  pages on their way, not out yet; and one that may be next
//	DIR/ledger.ndjson           the fence
//
// The ledger is itself a log. Each record is one O_APPEND write, and its meaning depends only on what stands before it:
//
//	{"epoch":"…","cluster":"…"}                      the first one begins the ledger
//	{"claim":[term,index]}                           a token is opened
//	{"term":…,"index":…,"attempt":…,"job":…,"copy":…,"page":…,"bytes":…,"sha256":"…"}
//	                                                 a page; and "first":true where an attempt begins elsewhere than at copy 1
//	                                                 page 1, "last":true on its last
//	{"term":…,"index":…,"close":attempt}             an attempt is closed
//	{"epoch":"…","cluster":"…","adopts":"EPOCH"}     another cluster takes the tray over: the fence begins anew
//
// A page or close line counts only if no higher claim stands before it and rule R8 allows it there. The counting lines are the paper: what
// they do not list did not come out. A fragment that a dying writer left is closed by a newline and ignored. [Read] is for
// auditors.
//
// There is no lock: a process that is stopped at any instruction blocks nobody, and when it goes on it can do no harm. It writes only to
// files that carry its own token, and moves one into pages/ only after its line was found to count.
//
// After a sync that failed, the kernel may show lines that are not on the disk and that it will not write any more. So whoever opens the
// ledger, or has seen a write fail, writes the end of it again, in its place and with the same bytes, before anything is built on it.
//
// What is relied on: an O_APPEND write is not mixed with another (a local file system; not NFS), and a rename is atomic, also in a crash.
//
// The file named in pages/ by an older attempt of the same job is replaced by a newer one's: the bytes are the same, and the
// ledger has both.
package tray

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"printq/printer/device"
	"printq/queue"
)

// Options of a tray.
type Options struct {
	// Delay is waited before each page is written: it makes a demonstration slow enough to watch. 0: none.
	Delay time.Duration
}

// A Tray is a device.Preparer. Nothing is opened or made before the first request.
type Tray struct {
	dir      string
	options  Options
	ledger   file
	disk     disk
	ahead    *prepared // nil: none
	unfenced bool
	// before, if set, is called before each step that leaves a trace; its error ends the request there, as a crash would. For
	// tests.
	before func(step string) error
}

var _ device.Preparer = (*Tray)(nil)

// New is the tray in that directory.
func New(dir string, o Options) *Tray {
	return on(disk{createPage, syncData, syncDir, rewrite}, dir, o)
}

func on(d disk, dir string, o Options) *Tray {
	t := &Tray{dir: dir, options: o, disk: d, ledger: file{path: filepath.Join(dir, "ledger.ndjson"), disk: d}}
	t.ledger.close()
	return t
}

// NewUnfenced is a broken tray, which prints whatever it is told whoever asks. It exists to show that a checker notices, and has
// no URI.
func NewUnfenced(dir string, o Options) *Tray {
	t := New(dir, o)
	t.unfenced = true
	return t
}

func (t *Tray) step(name string) error {
	if t.before == nil {
		return nil
	}
	return t.before(name)
}

// Release implements device.Fenced.
func (t *Tray) Release() error {
	t.ahead = nil
	t.ledger.close()
	return nil
}

// Open implements device.Fenced.
func (t *Tray) Open(ctx context.Context, o device.Opening) (device.State, error) {
	if err := ctx.Err(); err != nil {
		return device.State{}, err
	}
	t.ahead = nil // the sweep sees to its file: the line may be there
	if err := t.disk.makeDirs(t.dir); err != nil {
		return device.State{}, unreachable("make the tray", err)
	}
	id, err := t.disk.identity(t.dir)
	if err != nil {
		return device.State{}, unreachable("read the tray's identity", err)
	}
	if err := t.begin(o); err != nil {
		return device.State{}, err
	}
	fence := &t.ledger.fold.fence
	if fence.Cluster == o.Cluster {
		if err := t.claim(o); err != nil {
			return device.State{}, err
		}
		if err := t.sweep(); err != nil {
			return device.State{}, err
		}
	}
	return device.State{Mark: fence.Mark, Epoch: fence.Epoch, Cluster: fence.Cluster, Identity: id, Prepares: true}, nil
}

// begin reads the ledger, and writes its first record where there is none or the tray is adopted.
func (t *Tray) begin(o device.Opening) error {
	if err := errors.Join(t.ledger.create(), t.ledger.secure()); err != nil {
		return ledgerError(err)
	}
	f := &t.ledger.fold
	r := record{kind: epoch, epoch: rand.Text(), cluster: o.Cluster}
	switch {
	case !f.begun:
	case f.fence.Cluster != o.Cluster && o.Adopt:
		r.adopts = f.fence.Epoch
	default:
		return nil
	}
	// Whether it is ours that counts, or one that was written at the same time, does not matter.
	if _, _, err := t.append(r); err != nil {
		return err
	}
	return nil
}

func (t *Tray) claim(o device.Opening) error {
	f := t.ledger.fold.fence
	if err := f.Open(o.Token); err != nil {
		return err
	}
	if t.ledger.fold.fence.High == o.Token {
		return nil
	}
	_, why, err := t.append(record{kind: claim, token: o.Token})
	if err := errors.Join(why, err); err != nil {
		return err
	}
	// One that stands right after ours.
	f = t.ledger.fold.fence
	return f.Open(o.Token)
}

// Print implements device.Fenced. The order is what makes it safe: the page's bytes are durable before its line (Prepare may have seen to
// that), the line is durable and found to count before the page appears, and that before it is acknowledged.
func (t *Tray) Print(ctx context.Context, u device.Unit) error {
	if err := t.wait(ctx); err != nil {
		return err
	}
	if err := t.ready(u.Token); err != nil {
		return err
	}
	fence := t.ledger.fold.fence
	if err := fence.Check(u.Token, u.Epoch); err != nil && !t.unfenced {
		return err
	}
	first := u.First && (u.Copy != 1 || u.Page != 1)
	asked := device.Page{Token: u.Token, Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, First: first, Last: u.Last, PerCopy: u.PerCopy}
	verdict, err := fence.Print(asked)
	if t.unfenced {
		verdict, err = device.Prints, nil
	}
	if err != nil || verdict == device.Repeats {
		return err
	}
	p, r, err := t.page(ctx, u)
	if err == nil {
		err = ctx.Err() // the last moment at which leaving leaves nothing behind
	}
	if err != nil {
		return t.drop(p, err)
	}
	_, why, err := t.append(r)
	if err != nil {
		return err // it may count: the part stays
	}
	if why != nil && !t.unfenced {
		return t.drop(p, why)
	}
	return t.place(p)
}

// drop removes the part of a page that will not be, because of err, which it returns. What cannot be removed goes at the next
// open.
func (t *Tray) drop(p part, err error) error {
	if t.step("drop") == nil {
		p.remove(t.dir)
	}
	t.forget(p)
	return err
}

// Close implements device.Fenced.
func (t *Tray) Close(ctx context.Context, c device.Closing) (device.Mark, error) {
	if err := ctx.Err(); err != nil {
		return device.Mark{}, err
	}
	if err := t.ready(c.Token); err != nil {
		return device.Mark{}, err
	}
	fence := t.ledger.fold.fence
	if err := fence.Check(c.Token, c.Epoch); err != nil {
		return device.Mark{}, err
	}
	before := fence.Mark
	if err := fence.Close(c.Token, c.Attempt); err != nil {
		return device.Mark{}, err
	}
	if fence.Mark == before {
		return before, nil
	}
	_, why, err := t.append(record{kind: closing, token: c.Token, attempt: c.Attempt})
	return t.ledger.fold.fence.Mark, errors.Join(err, why)
}

// ready reads what is new in the ledger, and places the page of that token that an earlier request could not. When the ledger is read
// for the first time since it was let go, what was prepared before then goes.
func (t *Tray) ready(token queue.Token) error {
	first := t.ledger.f == nil
	if err := errors.Join(t.ledger.refresh(nil), t.ledger.secure()); err != nil {
		return ledgerError(err)
	}
	if own, ok := t.ledger.unplaced[token]; ok {
		p, found, err := t.find(own)
		if err == nil && found {
			err = t.place(p)
		}
		if err != nil {
			return err
		}
	}
	if first {
		return t.tidy(token)
	}
	return nil
}

func (t *Tray) append(r record) (device.Verdict, error, error) {
	if err := t.step("append"); err != nil {
		return device.Refused, nil, err
	}
	v, why, err := t.ledger.append(r)
	if err != nil {
		return v, nil, ledgerError(err)
	}
	return v, why, t.step("appended")
}

// ledgerError: what is not a refusal is the disk's.
func ledgerError(err error) error {
	if errors.Is(err, device.ErrRefused) {
		return err
	}
	return fmt.Errorf("%w: %w", device.ErrUnreachable, err)
}

func (t *Tray) wait(ctx context.Context) error {
	if t.options.Delay <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(t.options.Delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
