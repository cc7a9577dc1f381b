package emulator

import "time"

// maxQueue is how many messages wait to be sent. A host that reads none of them loses what comes after.
const maxQueue = 4096

// say queues what the printer has to say to the host.
func (s *session) say(text string) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.sayLocked(text)
}

func (s *session) sayLocked(text string) {
	o := &s.p.options
	deaf := s.end == broken || s.end == ended && o.ClosesAtFIN
	if text == "" || deaf || o.PJL != PJLFull && !o.HostStatus || o.HalfCloses || !s.alive() || len(s.queue) >= maxQueue {
		return
	}
	s.queue = append(s.queue, message{text, time.Now().Add(o.Delay)})
	s.signal()
}

// drain waits until what is due has been sent. Before a page it makes the moment of a hook exact: while page n is on its way,
// the host's system has the status of page n-1, unless it is delayed.
func (s *session) drain() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for s.alive() && s.end != broken && !s.p.hung && s.p.options.Delay == 0 && (len(s.queue) > 0 || s.sending) {
		s.p.cond.Wait()
	}
}

// signal makes the sending goroutine look again.
func (s *session) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// send sends what is queued when it is due, and the timed status (chapter 7, USTATUS TIMED).
func (s *session) send() {
	var timed time.Time // when the last timed status went, or the first began to run
	for {
		text, wait, over := s.next(&timed)
		switch {
		case over:
			return
		case text != "":
			s.write(text)
		default:
			s.sleep(wait)
		}
	}
}

// next is what is to be sent now; or how long there is nothing (0: until woken).
func (s *session) next(timed *time.Time) (text string, wait time.Duration, over bool) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	now := time.Now()
	switch {
	case !s.alive() || s.finished && len(s.queue) == 0:
		return "", 0, true
	case s.p.hung:
		return "", 0, false
	case len(s.queue) > 0 && !s.queue[0].due.After(now):
		text, s.queue = s.queue[0].text, s.queue[1:]
		s.sending = true
		return text, 0, false
	case len(s.queue) > 0:
		return "", s.queue[0].due.Sub(now), false
	case s.pjl.timed == 0:
		*timed = time.Time{}
		return "", 0, false
	case timed.IsZero():
		*timed = now
	}
	if left := timed.Add(s.pjl.timed).Sub(now); left > 0 {
		return "", left, false
	}
	*timed = now
	s.sayLocked(unsolicited("TIMED", s.p.status().lines()...))
	return "", time.Nanosecond, false
}

func (s *session) sleep(d time.Duration) {
	var after <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after = timer.C
	}
	select {
	case <-after:
	case <-s.wake:
	case <-s.dead:
	}
}

// write sends; a host that has gone is not the printer's concern.
func (s *session) write(text string) {
	step := len(text)
	if s.p.options.Dribbles {
		step = 1
	}
	var err error
	for len(text) > 0 && err == nil {
		_, err = s.conn.Write([]byte(text[:step]))
		text = text[step:]
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.sending = false
	if err != nil {
		s.queue = nil
	}
	s.p.cond.Broadcast()
}
