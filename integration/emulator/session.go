package emulator

import (
	"io"
	"net"
	"sync"
	"time"
)

// How a connection's bytes end.
type ending int

const (
	open   ending = iota
	ended         // the host ended its sending side
	broken        // the connection was reset, or gave up
)

// A session is one connection and what the printer remembers of it. It has three goroutines, and run owns them: one
// reads into the buffer, one sends, and run itself interprets and prints.
type session struct {
	p    *JetDirect
	conn net.Conn
	boot int           // of the power-up that it lives in
	dead chan struct{} // closed when the power goes
	wake chan struct{} // for the sending goroutine; has room for one

	// Only run's goroutine.
	at int // bytes of the buffer that are interpreted

	// Guarded by the engine's mu.
	pjl      settings
	buffer   []byte // what was read and is not yet printed
	end      ending
	mute     bool // the power went, and the host is not to see it
	told     int  // the status code that the host was told last
	queue    []message
	sending  bool
	finished bool // nothing more will be queued
}

// A message is what the printer sends, and when.
type message struct {
	text string
	due  time.Time
}

func newSession(p *JetDirect, conn net.Conn) *session {
	return &session{
		p: p, conn: conn, boot: p.boot, dead: p.dead, wake: make(chan struct{}, 1),
		pjl: newSettings(), told: p.status().Code,
	}
}

// run serves the connection until all that it sent is printed and answered, or the power goes.
func (s *session) run() {
	defer s.gone()
	if s.p.options.HalfCloses {
		closeWrite(s.conn)
	}
	s.say(s.p.options.Noise)
	var work sync.WaitGroup
	work.Go(s.receive)
	work.Go(s.send)
	s.interpret()
	s.finish()
	work.Wait()
}

// finish lets the sending goroutine send the rest, and then ends the connection.
func (s *session) finish() {
	s.p.mu.Lock()
	s.finished = true
	s.signal()
	for s.alive() && (len(s.queue) > 0 || s.sending) {
		s.p.cond.Wait()
	}
	for s.mute && s.p.off && !s.p.closed {
		s.p.cond.Wait() // a host without a network sees no end
	}
	lost := !s.alive()
	s.p.mu.Unlock()
	if lost {
		reset(s.conn)
		return
	}
	s.conn.Close()
}

// gone makes room for the next connection.
func (s *session) gone() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.session = nil
	s.p.cond.Broadcast()
}

// alive: the power has been on since the session began. mu is held.
func (s *session) alive() bool { return s.p.boot == s.boot }

// breakOff notes that the connection is lost. mu is held.
func (s *session) breakOff() {
	if s.end == open {
		s.end = broken
	}
	s.queue = nil
	s.p.cond.Broadcast()
}

// receive reads from the connection as the buffer has room.
func (s *session) receive() {
	room := make([]byte, 4096)
	for {
		n := s.room()
		if n == 0 {
			return
		}
		if idle := s.p.options.IdleTimeout; idle > 0 {
			s.conn.SetReadDeadline(time.Now().Add(idle))
		}
		n, err := s.conn.Read(room[:min(n, len(room))])
		s.received(room[:n], err)
		if err != nil {
			return
		}
	}
}

// room waits until bytes can be read, and returns how many; 0: no more ever.
func (s *session) room() int {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for s.alive() && s.end == open && (s.p.hung || len(s.buffer) >= s.p.options.Buffer) {
		s.p.cond.Wait()
	}
	if !s.alive() || s.end != open {
		return 0
	}
	return s.p.options.Buffer - len(s.buffer)
}

func (s *session) received(data []byte, err error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.buffer = append(s.buffer, data...)
	switch {
	case err == nil || s.end != open:
	case err == io.EOF:
		s.end = ended
	default:
		s.breakOff()
		reset(s.conn)
	}
	if s.flushed() {
		s.buffer = nil
	}
	if s.end == ended && s.p.options.ClosesAtFIN {
		s.queue = nil
		s.conn.Close()
	}
	s.p.cond.Broadcast()
}

// take waits for bytes to interpret and returns what is there; none: that was the end.
func (s *session) take() []byte {
	s.release()
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for s.alive() && (s.p.hung || len(s.buffer) == 0 && s.end == open) {
		s.p.cond.Wait()
	}
	if !s.alive() {
		return nil
	}
	return s.buffer
}

// release gives the room in the buffer free that interpreted bytes had.
func (s *session) release() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.buffer = s.buffer[min(s.at, len(s.buffer)):]
	s.at = 0
	s.p.cond.Broadcast()
}

func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}
