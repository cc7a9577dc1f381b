package queue

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"printq/queue/queuepb"
)

// A session is one run of a member. What its requests came to is kept until the member says that it knows (the floor), so
// that a request sent again at a leader change is carried out once.
type session struct {
	record
	id, member, floor uint64
	created           uint64
	touched           int64
	answers           map[uint64]answer
}

func (s *session) bucket() Bucket { return Sessions }
func (s *session) key() []byte    { return number(s.id) }

func (s *session) encode() []byte {
	m := &queuepb.Session{Id: s.id, Member: s.member, Floor: s.floor, Touched: s.touched, Created: s.created}
	for _, seq := range slices.Sorted(maps.Keys(s.answers)) {
		a := s.answers[seq]
		m.Answers = append(m.Answers, &queuepb.SessionAnswer{Seq: seq, Job: a.job, Code: a.code, Detail: a.detail, Subscription: a.subscription})
	}
	return marshal(m)
}

// An answer is an Outcome as it is kept.
type answer struct {
	job          uint64
	code, detail string
	subscription uint64
}

// The codes of errors, as stored: they never change.
var codes = []struct {
	code string
	err  error
}{
	{"no-job", ErrNoJob},
	{"no-printer", ErrNoPrinter},
	{"state", ErrState},
	{"key-reused", ErrKeyReused},
	{"no-upload", ErrNoUpload},
	{"invalid", ErrInvalid},
	{"void", ErrVoid},
	{"document-gone", ErrDocumentGone},
	{"not-accepting", ErrNotAccepting},
	{"limit", ErrLimit},
	{"no-subscription", ErrNoSubscription},
}

func answerOf(o Outcome) answer {
	for _, c := range codes {
		if errors.Is(o.Err, c.err) {
			return answer{o.Job, c.code, strings.TrimPrefix(o.Err.Error(), c.err.Error()), 0}
		}
	}
	return answer{job: o.Job, subscription: o.Subscription}
}

func (a answer) err() error {
	for _, c := range codes {
		if c.code == a.code {
			return &oldError{c.err, a.detail}
		}
	}
	return nil
}

// An oldError is an error answered again.
type oldError struct {
	kind   error
	detail string
}

func (e *oldError) Error() string { return e.kind.Error() + e.detail }
func (e *oldError) Unwrap() error { return e.kind }

// session finds or opens the session of a command, and forgets what its floor says is known.
func (t *turn) session(c *queuepb.Command) *session {
	s := t.sessions[c.Session]
	if s == nil {
		t.crowdOut(c.Member)
		s = &session{id: c.Session, member: c.Member, created: t.entry.Index, answers: make(map[uint64]answer)}
		t.sessions[s.id] = s
	}
	if c.Floor > s.floor {
		if c.Floor-s.floor > uint64(len(s.answers)) {
			maps.DeleteFunc(s.answers, func(seq uint64, _ answer) bool { return seq < c.Floor })
		} else {
			for seq := s.floor; seq < c.Floor; seq++ {
				delete(s.answers, seq)
			}
		}
		s.floor = c.Floor
	}
	s.touched = t.time
	t.touch(s)
	return s
}

// crowdOut makes room for a new session of member: only the newest stay.
func (t *turn) crowdOut(member uint64) {
	var own []*session
	for _, s := range t.sessions {
		if s.member == member {
			own = append(own, s)
		}
	}
	slices.SortFunc(own, func(a, b *session) int {
		return cmp.Or(cmp.Compare(b.created, a.created), cmp.Compare(b.id, a.id))
	})
	for _, s := range own[min(len(own), MaxSessions-1):] {
		t.forget(s)
	}
}

func (t *turn) forget(s *session) {
	delete(t.sessions, s.id)
	t.erase(s)
}
