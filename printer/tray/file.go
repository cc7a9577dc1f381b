package tray

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"printq/printer/device"
	"printq/queue"
)

// errLost: a record that was written does not stand in the ledger as a line of its own.
var errLost = errors.New("the record is not in the ledger")

// A file is the ledger's file together with the meaning of what was read of it. Reading is incremental: a line is folded
// once. Other processes may append between any two of our calls.
type file struct {
	path   string
	disk   disk
	f      *os.File
	was    os.FileInfo // f's, when it was opened: which file it is
	fold   fold
	offset int64 // where the first line begins that is not folded yet
	ragged bool  // the file ends in the middle of a line, or may: the next record begins with a newline
	// unsure: lines that we can read may not be durable, as a write or a sync failed, of ours or, before we opened the file, of whoever
	// wrote them. They are written again before anything is built on them.
	unsure bool
	// last is where the last line that counts of the live token begins. proven: all before it is durable. An owner writes a line when all
	// up to its line before is.
	last, proven int64
	// unplaced holds, by token, the last page line that counts and whose file may not be in place yet: of one token only
	// the last can be, because its owner places a page before it begins the next.
	unplaced map[queue.Token]record
	// own is the page that we wrote last, and ownLine its line, which need not be decoded to be known again.
	own     record
	ownLine []byte
}

// refresh reads what was appended since, and calls seen, if not nil, with each line. If the path holds another file than before
// (the ledger was wiped), it starts over with that. There must be one: only create makes it.
func (l *file) refresh(seen func(record, device.Verdict, error)) error {
	end, err := l.reopen(0)
	if err != nil {
		return err
	}
	return l.read(end, seen)
}

// create is refresh, and makes the file if there is none.
func (l *file) create() error {
	end, err := l.reopen(os.O_CREATE)
	if err != nil {
		return err
	}
	return l.read(end, nil)
}

// read reads up to where the file ends.
func (l *file) read(end int64, seen func(record, device.Verdict, error)) error {
	if end < l.offset {
		return fmt.Errorf("read ledger: %w", l.forget("it has become shorter"))
	}
	buf := make([]byte, min(end-l.offset, 256<<10))
	for at := l.offset; at < end; {
		n, err := l.f.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
		if n == 0 {
			return fmt.Errorf("read ledger: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
		whole := bytes.LastIndexByte(buf[:n], '\n') + 1
		if whole == 0 && at+int64(n) < end { // a line longer than the buffer
			buf = make([]byte, 2*len(buf))
			continue
		}
		l.lines(buf[:whole], seen)
		l.offset += int64(whole)
		if at = l.offset; whole == 0 {
			break
		}
	}
	l.ragged = end > l.offset
	return nil
}

func (l *file) lines(b []byte, seen func(record, device.Verdict, error)) {
	at := l.offset
	for line := range bytes.Lines(b) {
		r := l.decode(line)
		v, err := l.fold.next(r)
		l.prove(r, err, at)
		at += int64(len(line))
		if v == device.Prints {
			l.unplaced[r.token] = r
		}
		if seen != nil {
			seen(r, v, err)
		}
	}
}

// decode reads a line with its newline.
func (l *file) decode(line []byte) record {
	if bytes.Equal(line, l.ownLine) {
		return l.own
	}
	return decode(line[:len(line)-1])
}

// remember takes note of a record that is about to be written as that line, if decode would say of the line that it is that.
func (l *file) remember(r record, line []byte) {
	if l.ownLine = nil; r.kind == page && r.attempt != 0 && r.bytes >= 0 {
		l.own, l.ownLine = r, line
	}
}

// prove takes note of what a line says of those before it.
func (l *file) prove(r record, err error, at int64) {
	switch {
	case err != nil:
	case r.kind == claim:
		l.last = at
	case r.kind == page || r.kind == closing:
		l.proven, l.last = l.last, at
	}
}

// secure makes durable what was read.
func (l *file) secure() error {
	if l.f == nil || !l.unsure {
		return nil
	}
	if l.offset > l.proven {
		if err := l.disk.rewrite(l.f, l.proven, l.offset); err != nil {
			return fmt.Errorf("write the ledger's end again: %w", err)
		}
	}
	l.unsure = false
	return nil
}

// reopen makes l.f the file that the path names now, and says where it ends.
func (l *file) reopen(flag int) (end int64, err error) {
	if l.f != nil {
		now, err := os.Stat(l.path)
		if err == nil && os.SameFile(now, l.was) {
			return now.Size(), nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, fmt.Errorf("look for the ledger: %w", err)
		}
	}
	l.close()
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_APPEND|flag, 0o644)
	if errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("open ledger: %w", l.forget("it is gone"))
	} else if err != nil {
		return 0, fmt.Errorf("open ledger: %w", err)
	}
	was, err := f.Stat()
	if dir := filepath.Dir(l.path); err == nil && flag&os.O_CREATE != 0 {
		err = l.disk.syncDir(dir)
	}
	if err != nil {
		_ = f.Close()
		return 0, fmt.Errorf("open ledger: %w", err)
	}
	l.f, l.was, l.unsure = f, was, true
	return was.Size(), nil
}

// close also forgets the meaning: it is read anew.
func (l *file) close() {
	if l.f != nil {
		_ = l.f.Close()
	}
	*l = file{path: l.path, disk: l.disk, unplaced: map[queue.Token]record{}}
}

func (l *file) forget(why string) error {
	l.close()
	return fmt.Errorf("%w: the ledger is not the one that was opened: %s", device.ErrRefused, why)
}

// append makes a record durable and says what it means, from what stands before it: the same verdict and error that everybody
// else who reads this line arrives at. Any other error leaves open whether the record is there.
func (l *file) append(r record) (v device.Verdict, why, err error) {
	for range 3 { // again only if it was glued to the fragment of a writer that died at that instant
		if err := l.write(r); err != nil {
			return v, nil, err
		}
		found, others := false, false
		err := l.refresh(func(got record, gotV device.Verdict, gotErr error) {
			switch {
			case found:
			case got == r:
				v, why, found = gotV, gotErr, true
			default:
				others = true
			}
		})
		if err != nil {
			return v, nil, err
		}
		if found {
			l.unsure = others // what others wrote meanwhile may not be durable, and ours rests on it
			return v, why, l.secure()
		}
	}
	return v, nil, fmt.Errorf("append to ledger: %w", errLost)
}

// write is one O_APPEND write, and its sync.
func (l *file) write(r record) error {
	b := r.encode()
	l.remember(r, b)
	if l.ragged {
		b = append([]byte{'\n'}, b...)
	}
	l.unsure = true // until it is known to be durable
	if _, err := l.f.Write(b); err != nil {
		return fmt.Errorf("append to ledger: %w", err)
	}
	if err := l.disk.sync(l.f); err != nil {
		return fmt.Errorf("sync ledger: %w", err)
	}
	return nil
}
