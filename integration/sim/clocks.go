package sim

import (
	"slices"
	"strings"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"printq/queue"
)

const (
	// far is how much a clock must be off before nothing may expire by it: what a member knows of the others' clocks is as old as
	// their frames, so it is more than production's ten seconds.
	far = 15 * time.Second
	// near is how much a clock may be off and still be believed.
	near = 10 * time.Second
)

// jump sets a member's clock wrong, for good or for a while.
func (m *member) jump(by, lasts time.Duration, back bool) {
	w := m.w
	m.clock += by
	w.noteClocks()
	if m.leading != 0 && m.clock.Abs() > far && w.sane {
		m.mustSay(m.leading, m.birth, 12)
	}
	if back {
		w.after(lasts, func() {
			if !w.healed {
				m.clock -= by
				w.noteClocks()
			}
		})
	}
}

// noteClocks notices whether more than one clock is wrong. A leader knows the median of those that it hears, which is the right time
// for sure only while one at most is wrong; what it does by its clock can then be held against the true time.
func (w *World) noteClocks() {
	wrong, agree := 0, true
	for _, m := range w.members {
		if m.clock != 0 {
			wrong++
		}
		if m.clock.Abs() <= far {
			w.behind, w.ahead = max(w.behind, -m.clock), max(w.ahead, m.clock)
		}
		agree = agree && m.clock.Abs() <= near
	}
	w.sane = w.sane && wrong <= 1
	if agree != w.agree {
		w.agree, w.agreed = agree, w.now
	}
}

// mustSay looks for the leader's alarm, every half a second. Whoever is hindered from its duties need not say anything.
func (m *member) mustSay(term, birth uint64, looks int) {
	m.w.after(second/2, func() {
		switch {
		case m.birth != birth || m.leading != term || m.shell.term != term || m.paused || m.w.now < m.busy || m.clock.Abs() <= far || !m.w.sane || m.w.healed:
		case slices.ContainsFunc(m.core.Alarms(), func(text string) bool { return strings.Contains(text, "clock") }):
			m.w.counts.add("race: leader whose clock jumped expires nothing and says so")
		case looks > 0:
			m.mustSay(term, birth, looks-1)
		case !m.shell.drain: // a leader that hands over has no other duties
			m.w.violated(0, "member %d leads with a clock that is %v off, and does not say so", m.id, m.clock)
		}
	})
}

// expires checks that no leader whose clock is far off proposes that anything expire.
func (m *member) expires(entries []*raftpb.Entry) {
	if m.clock.Abs() <= far || !m.w.sane || m.leading == 0 {
		return
	}
	for _, e := range entries {
		if e.GetTerm() != m.leading || len(e.GetData()) == 0 || e.GetType() != raftpb.EntryNormal {
			continue
		}
		batch, _, err := queue.Unpack(e.GetData())
		if err != nil {
			m.w.violated(1, "member %d saves an entry that cannot be read: %v", m.id, err)
			continue
		}
		for _, c := range batch.Commands {
			if c.GetExpire() != nil && c.Term == m.leading {
				m.w.violated(0, "member %d lets things expire by a clock that is %v off", m.id, m.clock)
			}
		}
	}
}

// checkTime holds an expiry against the true time: a job is not aborted early because a clock is wrong.
func (h *history) checkTime(j *jobHistory, id uint64) {
	w, x := h.w, h.w.clients.wantLogged(id)
	if x == nil || !w.sane {
		return
	}
	if lived := w.now - x.asked; lived < x.ttl-w.tolerance() {
		w.violated(0, "job %d is aborted after %v, its time to live is %v", id, lived, x.ttl)
	}
	if w.off(j.submitted) {
		w.counts.add("race: job with a time to live under a clock that jumped, aborted when it was over")
	}
}

// tolerance is how early something may expire: it may be stamped by a clock that is behind, and looked at by one that is ahead, perhaps
// the same one later; and what a leader knows of the others' clocks is as wrong as their frames are late.
func (w *World) tolerance() time.Duration {
	believed := w.behind + w.ahead
	if w.counts["fault: "+Delayed.String()] > 0 {
		return believed + 6*second
	}
	return believed + second/2
}

// off reports whether any clock has been far off since then.
func (w *World) off(since time.Duration) bool { return !w.agree || w.agreed > since }

// overdue is a job that should have been aborted long ago; nil: none. The clocks have agreed for a while, and one member has led
// meanwhile.
func (w *World) overdue() *queue.Job {
	l := w.leader()
	if l == nil || !w.agree || w.now-w.agreed < 5*second || w.now-l.since < 5*second || l.paused || w.now < l.busy || !w.sane {
		return nil
	}
	for j := range w.history.state.LiveJobs(0) {
		h := w.history.jobs[j.Id]
		if j.Ttl > 0 && len(j.Attempts) == 0 && h != nil && w.now-h.submitted > time.Duration(j.Ttl)+2*near+3*second { // stamped by a clock ahead, looked at by one behind
			return j
		}
	}
	return nil
}

// watchClocks looks for what is overdue, every second.
func (w *World) watchClocks() {
	if j := w.overdue(); j != nil {
		w.violated(0, "job %d was submitted %v ago, its time to live is %v, and it is still there", j.Id, w.now-w.history.jobs[j.Id].submitted, time.Duration(j.Ttl))
	}
	w.after(second, w.watchClocks)
}
