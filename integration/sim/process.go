package sim

import (
	"bytes"
	"errors"
	"maps"
	"time"

	"printq/log"
	"printq/log/logtest"
	"printq/node"
	"printq/queue"
)

// failed ends the process with an error of its own.
func (m *member) failed(err error) {
	if m.armed == "" && !m.flipped {
		m.w.violated(0, "member %d ends: %v", m.id, err)
	}
	m.w.counts.add("member ends: " + m.armed)
	m.w.trace.say(m.w.now, "m%d ends: %v", m.id, err)
	if errors.Is(err, logtest.ErrPower) {
		m.w.counts.add("power off while " + m.doing)
		m.end(true)
	} else {
		m.end(false)
	}
	m.wake(m.w.between(50*time.Millisecond, 4*time.Second))
}

// end is the end of the process; with power, of what its disk had not synced, too.
func (m *member) end(power bool) {
	if !m.up {
		return
	}
	if m.writing {
		m.w.counts.add("process ends with a batch for state.db on its way")
	}
	m.w.trace.note(1, m.id, uint64(m.w.now))
	m.w.trace.say(m.w.now, "m%d is down (power %v)", m.id, power)
	m.w.paper.down(m)
	m.up, m.leading, m.writing, m.served = false, 0, false, 0
	for _, t := range m.w.trays {
		if t.press != nil {
			t.press.left(m, !power)
		}
	}
	m.birth++
	m.core, m.staged, m.fresh, m.held, m.paused, m.busy = nil, nil, nil, nil, false, 0
	m.dropCalls()
	m.store.late = nil
	if power {
		m.crash()
	} else {
		m.disk.Kill()
		m.disk.FailSync(0)
		m.disk.PowerOffAt(0)
	}
	m.w.net.ended(m, !power)
}

// crash is a loss of power: the disk loses what was not synced, or some of it.
func (m *member) crash() {
	before := m.disk.Files()
	m.disk.Crash(m.w.random)
	after := m.disk.Files()
	if !maps.EqualFunc(before, after, bytes.Equal) {
		m.w.counts.add("power loss that took something with it")
	}
	for name, b := range after {
		switch was := before[name]; {
		case bytes.Equal(b, was):
		case bytes.HasPrefix(was, b):
			m.w.counts.add("power loss: the end of a file is gone")
		default:
			m.w.counts.add("power loss: a write is torn")
		}
	}
}

// wake starts the process after a while.
func (m *member) wake(d time.Duration) {
	if m.sleeping || m.lost {
		return
	}
	m.sleeping = true
	m.after(d, m.start)
}

// start begins a process where the disk ends.
func (m *member) start() {
	m.sleeping = false
	switch {
	case m.up || m.lost:
		return
	case m.born == nil:
		m.newborn()
		return
	}
	lg, err := log.Open(m.disk.FS(), m.store.Head().Base, logOptions)
	if err != nil {
		m.notOpened(err)
		return
	}
	if m.armed != "full" {
		m.armed = ""
	}
	m.w.sane = m.w.sane && m.clock == 0 // it does not know that its clock jumped, and may hear only one other
	m.birth++
	m.w.session++
	m.log = newMemberLog(m, lg)
	m.shell = newShell(m)
	m.calls, m.led, m.up = map[uint64]*call{}, map[uint64]bool{}, true
	m.applied = m.store.Head().Applied.Index
	if hs, _, err := lg.InitialState(); err == nil && hs.GetCommit() > m.applied {
		m.w.history.committed(m, hs.GetCommit()) // perhaps only it knew, and its last save said that it failed
		m.applied = hs.GetCommit()
	}
	err = m.guard(func() (err error) {
		m.core, err = node.NewCore(node.Config{
			ID: m.id, Seed: m.w.session, RetainEntries: retainEntries, CheckpointEvery: 100, BatchTicks: 4,
		}, m.log, m.store, m, m.shell)
		return err
	})
	if err != nil {
		m.failed(err)
		return
	}
	m.w.trace.note(2, m.id, uint64(m.w.now), m.applied)
	m.w.trace.say(m.w.now, "m%d is up, applied %d", m.id, m.applied)
	m.w.net.began(m)
	m.tick()
	m.reclaim()
	if m.w.mutant.ReplayDrives {
		m.replay()
	}
	m.turn(func() error { return nil })
}

func (m *member) notOpened(err error) {
	var damage *log.DamageError
	switch {
	case errors.As(err, &damage) && m.flipped:
		m.lost = true
		m.w.counts.add("damaged disk refused")
		m.w.trace.say(m.w.now, "m%d does not open: %v", m.id, err)
	case m.armed != "":
		m.disk.Kill()
		if errors.Is(err, logtest.ErrPower) {
			m.w.counts.add("power off while opening the log")
			m.crash()
			m.armed = ""
		}
		m.wake(m.w.between(200*time.Millisecond, 2*time.Second))
	default:
		m.w.violated(0, "member %d does not open its log: %v", m.id, err)
	}
}

// logOptions: little of the log stays in memory, so that most of what is read is read from the disk.
var logOptions = log.Options{SegmentBytes: segmentBytes, WriteAheadBytes: -1, CacheBytes: 4 << 10}

// replay is a mutant: the driver takes what a start finds for news.
func (m *member) replay() {
	state, err := queue.Load(m.store.Each)
	if err == nil && state.Term() > 0 {
		m.shell.lead(background, state.Term(), state.Drives())
	}
}

func (m *member) tick() {
	m.soon(tick, func() error {
		m.tick()
		m.core.Tick(m.time())
		if m.leading != 0 {
			m.lock = m.w.now
		}
		return nil
	})
}

// reclaim is node's goroutine that frees the log's space.
func (m *member) reclaim() {
	m.after(m.w.between(500*time.Millisecond, 2*time.Second), func() {
		for more := true; more && m.up; {
			var err error
			m.doing = "tidying the log"
			if _, more, err = m.log.Reclaim(background); err != nil {
				m.failed(err)
				return
			}
		}
		m.reclaim()
	})
}
