package stream

import (
	"io"
	"slices"
	"time"

	"printq/printer/device"
	"printq/printer/pages"
)

// How a unit outlives this process. What the system has of a connection it sends on when the process dies, up to its last byte, and then ends
// the connection: a unit that was given to it in one piece comes out whole. With one exception: if the printer says anything meanwhile,
// nobody reads that, so the system resets the connection and drops what it still has. So a unit waits until the printer's own
// network stack has room for all of it, and then is there in an instant; one for which that never has room is sent piece by piece.

const (
	// wholeSize is the largest unit that is kept in memory to be given away in one piece.
	wholeSize = 256 << 10
	// frameSize is more than the PJL before and after a unit.
	frameSize = 1 << 10
	// roomless is how long a printer that has not stopped may take nothing, and say nothing, before a unit is sent without its room.
	roomless = 10 * time.Second
)

// whole sends a unit in one piece. Of one that cannot be read, or is not wanted any more, nothing is sent.
func (s *sending) whole(number int, piece device.Piece) error {
	body, err := io.ReadAll(io.LimitReader(piece.Body, wholeSize+1))
	if err != nil {
		return documentError{err}
	}
	if size := int64(len(body)); size != piece.Size {
		return documentError{wrongSize(number, size, piece)}
	}
	if err := s.room(len(body) + frameSize); err != nil {
		return err
	}
	all := slices.Concat(s.opening(number, body[:min(len(body), pages.SniffLen)]), body, s.closing(number))
	s.partial = true
	if err := s.data(number, all); err != nil {
		return err
	}
	s.partial = false
	return nil
}

// room waits until n bytes would go through at once. Nothing of the unit is sent meanwhile, so it may also be given up.
func (s *sending) room(n int) error {
	defer func() { s.pressed = false }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for pause := time.Millisecond; !s.fits(n); pause = min(2*pause, slice/2) {
		s.pressed = true
		if err := s.look(); err != nil {
			return err
		}
		if s.stopping() {
			return errStopped
		}
		if s.watch.still() > roomless && !s.d.status.Stopped() {
			s.narrow()
			return nil
		}
		timer.Reset(pause)
		select {
		case m := <-s.said:
			s.watch.heard(m)
		case <-timer.C:
		case <-s.ctx.Done():
		}
	}
	return nil
}

// fits: n bytes written now go to the system in one piece, and from there to the printer's network stack without waiting for anything, if it ever
// had room for so many. Where the system cannot be asked, they do.
func (l *link) fits(n int) bool {
	r, known := roomOf(l.conn)
	if !known {
		return true
	}
	l.widest = max(l.widest, r.window)
	if c, ok := l.conn.(interface{ SetWriteBuffer(int) error }); ok && r.buffer < n && !l.grown {
		l.grown = true
		_ = c.SetWriteBuffer(2 * wholeSize) // the system's own bound may be lower
		r, _ = roomOf(l.conn)
	}
	if n <= l.widest {
		return r.waiting+n <= r.window
	}
	return r.waiting == 0 || r.waiting+n <= r.buffer
}

// narrow takes note that the other side no longer makes the room that it once had, as a system may when its memory gets short: it
// is waited for once, and not before each unit.
func (l *link) narrow() {
	if r, known := roomOf(l.conn); known {
		l.widest = r.window
	}
}

// A room is what a connection has.
type room struct {
	waiting int // bytes that the other side has not acknowledged
	buffer  int // bytes that the system surely takes before it makes who writes wait
	window  int // bytes that the other side takes after those that it has acknowledged
}
