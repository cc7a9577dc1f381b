package stream

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"printq/printer/device"
	"printq/printer/pages"
)

// unit sends one. It is out, or on its way, from the end of what ejects it on.
func (s *sending) unit(number int, piece device.Piece) error {
	send := s.whole
	if piece.Size > wholeSize {
		send = s.long
	}
	if err := send(number, piece); err != nil {
		return err
	}
	s.begun = max(s.begun, number) // an empty one
	s.ends = append(s.ends, s.written)
	return s.look()
}

// long sends a unit piece by piece.
func (s *sending) long(number int, piece device.Piece) error {
	body := bufio.NewReaderSize(piece.Body, pages.SniffLen)
	head, _ := body.Peek(pages.SniffLen) // an error comes again below
	if err := s.write(s.opening(number, head)); err != nil {
		return err
	}
	size, buffer := int64(0), make([]byte, chunk)
	s.partial = true
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			size += int64(n)
			if err := s.data(number, buffer[:n]); err != nil {
				return err
			}
			if s.w.Job.Units == 1 && size < piece.Size && s.stopping() {
				return errStopped
			}
		}
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return documentError{fmt.Errorf("read unit %d: %w", number, err)}
		}
	}
	if size != piece.Size {
		return documentError{wrongSize(number, size, piece)}
	}
	s.partial = false
	return s.write(s.closing(number))
}

func wrongSize(number int, size int64, piece device.Piece) error {
	return fmt.Errorf("unit %d has %d bytes, not %d: %w", number, size, piece.Size, io.ErrUnexpectedEOF)
}

// opening is what comes before a unit.
func (s *sending) opening(number int, head []byte) []byte {
	return s.frame.begin(s.w, number, head, s.d.o.RawLines, s.talks)
}

// closing is what comes after one: the window's last is printed without waiting for another.
func (s *sending) closing(number int) []byte {
	if number < s.w.To {
		return nil
	}
	return s.frame.eject(number == s.w.Job.Total())
}

// data sends bytes of a unit.
func (s *sending) data(number int, p []byte) error {
	return s.push(p, func() {
		s.begun = number
		s.watch.move()
	})
}

// write sends PJL.
func (s *sending) write(p []byte) error { return s.push(p, func() {}) }

// push gives bytes to the system until it has all of them; took is called whenever it took some.
func (s *sending) push(p []byte, took func()) error {
	defer func() { s.pressed = false }()
	for len(p) > 0 {
		n, err := s.some(p)
		if n > 0 {
			took()
			p = p[n:]
		}
		s.pressed = len(p) > 0
		if err != nil {
			return err
		}
		if err := s.look(); err != nil {
			return err
		}
	}
	return nil
}
