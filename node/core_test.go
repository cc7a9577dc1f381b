package node

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/queue"
	"printq/queue/queuepb"
)

func sha(b []byte) [32]byte { return sha256.Sum256(b) }

func TestSubmitThroughEveryMember(t *testing.T) {
	w := newWorld(t, 3)
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	for id := range uint64(3) {
		doc := []byte(fmt.Sprintf("page %d", id))
		a := w.members[id+1].must(submit("p", "", doc), doc)
		if a.Job != id+1 {
			t.Errorf("through member %d: job %d, want %d", id+1, a.Job, id+1)
		}
		if got := w.members[id+1].core.batch.applied.Index; got < a.Index {
			t.Errorf("member %d answered at %d and has applied only %d", id+1, a.Index, got)
		}
	}
	w.run(20)
	w.converged()
	for id, m := range w.members {
		for job := range uint64(3) {
			if s, err := m.core.job(job + 1); err != nil || queue.JobState(s.GetState()) != queue.Completed {
				t.Errorf("member %d: job %d is %v, %v", id, job+1, s, err)
			}
		}
	}
}

// A request whose leader dies before it answers is sent again, and makes one job.
func TestLeaderDiesUnderRequests(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(t, 3)
			w.leader().must(setPrinter("p", "tray:/a"), nil)
			leader, follower := w.leader(), w.follower()
			var calls []*call
			for i := range 10 {
				doc := []byte(fmt.Sprint(i))
				calls = append(calls, follower.propose(submit("p", "", doc), doc))
			}
			// Let the messages get to some point between the proposal and the answer.
			for range r.IntN(4) {
				for _, m := range w.members {
					if err := m.core.Work(w.now); err != nil {
						t.Fatal(err)
					}
				}
				packets := w.packets
				w.packets = nil
				for _, p := range packets {
					if r.IntN(4) > 0 {
						if err := w.members[p.to].core.Receive(w.now, p.from, p.kind, p.body); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			leader.kill(r)
			w.until("all requests are answered", func() bool {
				for _, c := range calls {
					if !c.ended {
						return false
					}
				}
				return true
			})
			leader.start()
			w.run(100)
			jobs := map[uint64]bool{}
			for i, c := range calls {
				if c.err != nil {
					t.Errorf("request %d: %v", i, c.err)
				}
				jobs[c.answer.Job] = true
			}
			if last := follower.core.queue.LastJob(); len(jobs) != 10 || last != 10 {
				t.Errorf("10 requests made jobs %v, the last is %d", jobs, last)
			}
			w.converged()
		})
	}
}

func TestRestartReplaysAndDrivesNothing(t *testing.T) {
	w := newWorld(t, 3)
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	m := w.follower()
	m.stalled = true // the store does not keep up: everything has to come from the log
	for i := range 50 {
		doc := []byte(fmt.Sprint(i))
		w.leader().must(submit("p", "", doc), doc)
	}
	w.run(20)
	chain, applied := m.core.queue.Chain(), m.core.batch.applied
	m.kill(rand.New(rand.NewPCG(1, 1)))
	m.stalled = false
	m.start()
	if m.core.batch.applied.Index >= applied.Index {
		t.Fatalf("the store was ahead: nothing to replay")
	}
	w.until("it has applied everything again", func() bool { return m.core.batch.applied.Index >= applied.Index })
	if m.core.queue.Chain() != chain && m.core.batch.applied == applied {
		t.Error("the replay made another chain")
	}
	if len(m.driver.printed) > 0 || m.driver.reigns > 0 {
		t.Errorf("the replay drove a printer: %v", m.driver.printed)
	}
	w.converged()
}

func TestFollowerFarBehindGetsASnapshot(t *testing.T) {
	w := newWorld(t, 3)
	w.cfg = func(c *Config) { c.RetainEntries = 20 }
	for _, m := range w.members {
		m.start()
	}
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	w.leader().must(setPrinter("closed", "tray:/b"), nil)
	w.leader().must(&queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: "closed"}}}, nil)
	doc := bytes.Repeat([]byte("still needed"), 100)
	waiting := w.leader().must(submit("closed", "", doc), doc)
	behind := w.follower()
	w.cut = func(from, to uint64) bool { return from == behind.id || to == behind.id }
	for i := range 300 {
		d := []byte(fmt.Sprint(i))
		w.leader().must(submit("p", "", d), d)
	}
	w.run(20)
	w.cut = func(_, _ uint64) bool { return false }
	leader := w.leader()
	w.until("it has caught up", func() bool { return behind.core.batch.applied.Index >= leader.core.batch.applied.Index })
	if behind.core.counts.snapshotsInstalled == 0 {
		t.Fatal("it caught up without a snapshot: the test tests nothing")
	}
	s, err := behind.core.job(waiting.Job)
	if err != nil || queue.JobState(s.GetState()) != queue.Pending {
		t.Fatalf("the waiting job: %v, %v", s, err)
	}
	e := s.GetDocument()[0]
	got := make([]byte, len(doc))
	if _, err := behind.log.ReadAt(e.GetIndex(), got, int64(e.GetOffset())); err != nil || !bytes.Equal(got, doc) {
		t.Errorf("the waiting job's document did not come with the snapshot: %v", err)
	}
	// It takes part again, also after a restart.
	behind.kill(rand.New(rand.NewPCG(2, 2)))
	behind.start()
	w.run(50)
	d := []byte("after")
	behind.must(submit("p", "", d), d)
	w.run(20)
	w.converged()
}

// A member that streams a snapshot while it installs another one lets go, at the end of the stream, of nothing in its new log: what it
// held back was of the old one. Here a document that has ended lies in one entry with one that has not.
func TestInstallWhileStreaming(t *testing.T) {
	w := newWorld(t, 3)
	w.cfg = func(c *Config) { c.RetainEntries = 20 }
	for _, m := range w.members {
		m.start()
	}
	for _, name := range []string{"short", "closed"} {
		set := setPrinter(name, "tray:/"+name)
		set.GetSetPrinter().Settings.Keep = 1
		w.leader().must(set, nil)
	}
	w.leader().must(&queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: "closed"}}}, nil)
	doc := []byte("a document")
	over, needed := w.leader().propose(submit("short", "", doc), doc), w.leader().propose(submit("closed", "", doc), doc)
	behind := w.follower()
	w.until("both are jobs", func() bool { return over.ended && needed.ended && behind.core.queue.LastJob() == 2 })
	index := func(job uint64) uint64 {
		j, err := behind.core.job(job)
		if err != nil {
			t.Fatal(err)
		}
		return j.GetDocument()[0].GetIndex()
	}
	at := index(needed.answer.Job)
	if index(over.answer.Job) != at {
		t.Fatal("the documents are in two entries: the test tests nothing")
	}
	behind.core.Pin()
	w.until("the first is let go of", func() bool { return len(behind.core.batch.held) > 0 })
	w.cut = func(from, to uint64) bool { return from == behind.id || to == behind.id }
	for i := range 300 {
		d := []byte(fmt.Sprint(i))
		w.leader().must(submit("short", "", d), d)
	}
	w.run(20)
	w.cut = func(_, _ uint64) bool { return false }
	w.until("it has a snapshot", func() bool { return behind.core.counts.snapshotsInstalled > 0 })
	behind.core.Unpin()
	if !slices.Contains(slices.Collect(behind.log.Retained()), at) {
		t.Errorf("entry %d, with the document of a job that waits, may go", at)
	}
}

// A leader that was cut off must not answer a linearizable read.
func TestBarrierNeedsAMajority(t *testing.T) {
	w := newWorld(t, 3)
	old := w.leader()
	w.cut = func(from, to uint64) bool { return (from == old.id) != (to == old.id) }
	answered := false
	old.core.Barrier(func(_ Position, err error) { answered = err == nil })
	w.run(10)
	if answered {
		t.Fatal("a leader without a majority answered a linearizable read")
	}
	w.cut = func(_, _ uint64) bool { return false }
	w.until("the barrier is answered once the members reach each other", func() bool { return answered })
}

func TestFailoverWithinTicks(t *testing.T) {
	w := newWorld(t, 3)
	w.run(10)
	old := w.leader()
	old.kill(rand.New(rand.NewPCG(3, 3)))
	w.run(2)
	for _, m := range w.members {
		if m.core != nil && m.core.reign.active {
			return
		}
	}
	t.Error("two ticks after the leader's connections were reset, nobody leads")
}

// A follower that is told of resets all the time must not unseat a leader that is well.
func TestResetsOfALivingLeaderAreCalm(t *testing.T) {
	w := newWorld(t, 3)
	leader := w.leader()
	term := leader.core.term
	for range 200 {
		w.follower().core.Disconnected(leader.id, true)
		w.run(3)
	}
	if now := w.leader(); now != leader || now.core.term != term {
		t.Errorf("resets moved leadership from %d in term %d to %d in term %d", leader.id, term, now.id, now.core.term)
	}
}

// resetAll is what every member hears when all connections are reset and made anew at once, and nobody has died.
func (w *world) resetAll() {
	for _, tell := range []func(c *Core, other uint64){
		func(c *Core, other uint64) { c.Disconnected(other, true) },
		func(c *Core, other uint64) { c.Connected(other) },
	} {
		for _, a := range w.members {
			for _, b := range w.members {
				if a != b && a.core != nil && b.core != nil {
					tell(a.core, b.id)
				}
			}
		}
		w.work()
	}
}

// In a storm in which all connections are reset again and again, the members elect a few leaders at most, and requests are answered.
// When it is over, a leader's death is noticed at once again.
func TestStormOfResetsIsCalm(t *testing.T) {
	for _, every := range []int{1, 3, 8, 20} {
		w := newWorld(t, 3)
		w.leader().must(setPrinter("p", "tray:/a"), nil)
		const ticks = 1200 // a minute
		term := w.leader().core.term
		for i := range ticks / every {
			w.resetAll()
			doc := []byte(fmt.Sprint(i))
			c := w.members[uint64(i%3+1)].propose(submit("p", "", doc), doc)
			w.run(every)
			if every >= 3 && !c.ended {
				t.Errorf("every %d ticks: the request at tick %d was not answered before the next reset", every, i*every)
			}
		}
		if terms := w.leader().core.term - term; terms > 8 {
			t.Errorf("%d terms in %d resets, one each %d ticks", terms, ticks/every, every)
		}
		w.run(80 * doubtTicks)
		w.leader().kill(rand.New(rand.NewPCG(3, 3)))
		w.run(2)
		if !slices.ContainsFunc(slices.Collect(maps.Values(w.members)), func(m *member) bool { return m.core != nil && m.core.reign.active }) {
			t.Errorf("every %d ticks: nobody follows a leader that died after the storm", every)
		}
	}
}

// What a follower had sent to the leader over a connection that was reset is sent again when there is a new one, long before it would be for
// want of an answer.
func TestRequestsLostWithAConnectionAreSentAgain(t *testing.T) {
	w := newWorld(t, 3)
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	leader, follower := w.leader(), w.follower()
	doc := []byte("d")
	c := follower.propose(submit("p", "", doc), doc)
	if _, err := follower.core.Step(w.now); err != nil || len(w.packets) == 0 {
		t.Fatalf("nothing was sent: %v", err)
	}
	w.packets = nil // it was under way
	follower.core.Disconnected(leader.id, false)
	follower.core.Connected(leader.id)
	w.run(4)
	if !c.ended || c.err != nil || follower.core.counts.resent != 1 {
		t.Errorf("after 4 ticks: answered %v, %v, sent again %d times", c.ended, c.err, follower.core.counts.resent)
	}
}

func TestTransfer(t *testing.T) {
	w := newWorld(t, 3)
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	old, to := w.leader(), w.follower()
	doc := []byte("d")
	c := old.propose(submit("p", "", doc), doc)
	old.core.Transfer(to.id)
	w.until("the other one leads", func() bool { return to.core.reign.active })
	w.until("the request under way is answered", func() bool { return c.ended })
	if c.err != nil {
		t.Error(c.err)
	}
	if old.driver.ctx.Err() == nil {
		t.Error("the old leader's driver still has its context")
	}
}

func TestDriverContextEndsWithLeadership(t *testing.T) {
	w := newWorld(t, 3)
	old := w.leader()
	ctx := old.driver.ctx
	if ctx.Err() != nil {
		t.Fatal("the leader's driver has no context")
	}
	w.cut = func(from, to uint64) bool { return (from == old.id) != (to == old.id) }
	w.until("it steps down", func() bool { _, leads := old.core.Leads(); return !leads })
	if ctx.Err() == nil {
		t.Error("the context outlives the leadership")
	}
}

// While a term's first entry is not applied, nothing is decided and no driver is told.
func TestNothingIsDecidedBeforeTheOwnEntry(t *testing.T) {
	w := newWorld(t, 3)
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	next := w.follower()
	w.cut = func(from, to uint64) bool { return from == next.id && to != next.id && next.core.lead == next.id }
	w.leader().core.Transfer(next.id)
	w.until("it leads", func() bool { return next.core.lead == next.id })
	if next.core.reign.active || next.driver.reigns > 0 {
		t.Error("it reigns before an entry of its own term is committed")
	}
}

func TestFullIsRefusedAndNothingIsLost(t *testing.T) {
	w := newWorld(t, 3)
	w.cfg = func(c *Config) { c.MaxPendingBytes = 64 << 10 }
	for _, m := range w.members {
		m.start()
	}
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	follower := w.follower()
	w.cut = func(_, _ uint64) bool { return true }
	var calls []*call
	doc := make([]byte, 8<<10)
	for range 20 {
		calls = append(calls, follower.propose(submit("p", "", doc), doc))
	}
	full := 0
	for _, c := range calls {
		if errors.Is(c.err, ErrFull) {
			full++
		}
	}
	if full < 10 {
		t.Errorf("%d of 20 requests of 8 KiB were refused, with 64 KiB allowed", full)
	}
	w.cut = func(_, _ uint64) bool { return false }
	w.until("the others are answered", func() bool {
		for _, c := range calls {
			if !c.ended {
				return false
			}
		}
		return true
	})
	if got := follower.core.queue.LastJob(); got != uint64(20-full) {
		t.Errorf("%d jobs of %d requests taken on", got, 20-full)
	}
}

func TestAbandonedRequestSaysWhatIsKnown(t *testing.T) {
	w := newWorld(t, 3)
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	follower := w.follower()
	doc := []byte("d")
	c := follower.propose(submit("p", "", doc), doc)
	c.abandon()
	if !errors.Is(c.err, ErrNoQuorum) {
		t.Errorf("before it was sent: %v, want ErrNoQuorum", c.err)
	}
	if w.run(20); follower.core.queue.LastJob() != 0 {
		t.Error("what was given up before it was sent made a job")
	}
	c = follower.propose(submit("p", "", doc), doc)
	if _, err := follower.core.Step(w.now); err != nil {
		t.Fatal(err)
	}
	c.abandon()
	if !errors.Is(c.err, ErrUnknown) {
		t.Errorf("after it was sent: %v, want ErrUnknown", c.err)
	}
	w.cut = func(_, _ uint64) bool { return true }
	w.until("nobody leads", func() bool { return follower.core.lead == 0 })
	c = follower.propose(submit("p", "", doc), doc)
	c.abandon()
	if !errors.Is(c.err, ErrNoQuorum) {
		t.Errorf("before it was sent: %v, want ErrNoQuorum", c.err)
	}
}

func TestLowDiskRefusesDocumentsOnly(t *testing.T) {
	w := newWorld(t, 3)
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	doc := []byte("d")
	job := w.leader().must(submit("p", "", doc), doc)
	w.run(5)
	w.leader().core.SetLowDisk(true)
	for _, m := range []*member{w.leader(), w.follower()} {
		c := m.propose(submit("p", "", doc), doc)
		w.until("it is answered", func() bool { return c.ended })
		if !errors.Is(c.err, ErrDiskFull) {
			t.Errorf("through member %d: %v, want ErrDiskFull", m.id, c.err)
		}
	}
	w.leader().must(&queuepb.Command{Body: &queuepb.Command_Reprint{Reprint: &queuepb.Reprint{Job: job.Job}}}, nil)
	w.leader().core.SetLowDisk(false)
	w.leader().must(submit("p", "", doc), doc)
}

// More jobs may leave at once than one command names: the leader goes on without waiting for its next look at what is due.
func TestManyJobsLeave(t *testing.T) {
	const jobs = 4 * expireLimit
	w := newWorld(t, 3)
	leader := w.leader()
	leader.must(setPrinter("p", "tray:/a"), nil)
	var calls []*call
	for id := range uint64(jobs) {
		calls = append(calls, leader.propose(submit("p", "", []byte("d")), []byte("d")))
		calls = append(calls, leader.propose(&queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: id + 1}}}, nil))
	}
	w.until("all have ended", func() bool { return leader.core.queue.Stats().Finished == jobs })
	for _, c := range calls {
		if c.err != nil {
			t.Fatal(c.err)
		}
	}
	soon := setPrinter("p", "tray:/a")
	soon.GetSetPrinter().Settings.Retention = 1
	leader.must(soon, nil)
	w.run(2 * dutyTicks)
	if left := leader.core.queue.Stats().Finished; left != 0 {
		t.Errorf("%d of %d jobs have not left", left, jobs)
	}
	w.converged()
}

// A member that ends does not wait for the others to come to rest.
func TestSettlesWhileOthersGoOn(t *testing.T) {
	w := newWorld(t, 3)
	leader, m := w.leader(), w.follower()
	leader.must(setPrinter("p", "tray:/a"), nil)
	last := m.propose(submit("p", "", []byte("d")), []byte("d"))
	m.core.Quiesce()
	if m.core.settle() {
		t.Fatal("settled before its request has an answer")
	}
	w.until("the request is answered", func() bool { return last.ended })
	m.stalled = true
	if m.core.settle() {
		t.Fatal("settled before the store has what was answered")
	}
	leader.must(submit("p", "", []byte("d")), []byte("d")) // from now on there is always something newer
	m.stalled = false
	w.work()
	for m.core.batch.durable.Applied.Index < last.answer.Index {
		m.core.settle()
		w.work()
	}
	m.stalled = true
	leader.must(submit("p", "", []byte("d")), []byte("d"))
	if !m.core.settle() {
		t.Error("not settled, though all that it owes is in the store")
	}
}

func TestCheckpointsAgreeAndBite(t *testing.T) {
	w := newWorld(t, 3)
	w.cfg = func(c *Config) { c.CheckpointEvery = 20 }
	for _, m := range w.members {
		m.start()
	}
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	for i := range 100 {
		d := []byte(fmt.Sprint(i))
		w.leader().must(submit("p", "", d), d)
	}
	w.run(3 * dutyTicks)
	odd := w.members[2].core
	if len(odd.own) == 0 || len(w.members[1].core.own) == 0 {
		t.Fatal("no checkpoints")
	}
	if text := odd.alarms.diverged; text != "" {
		t.Fatalf("members that agree raise an alarm: %s", text)
	}
	odd.own[len(odd.own)-1].Digest++
	for _, id := range []uint64{1, 3} {
		w.members[id].core.tellStatus()
	}
	var err error
	for _, p := range w.packets {
		if p.to == 2 && err == nil {
			err = odd.Receive(w.now, p.from, p.kind, p.body)
		}
	}
	if !errors.Is(err, ErrDiverged) {
		t.Errorf("a member alone against a majority goes on: %v", err)
	}
}

func TestWire(t *testing.T) {
	m := &raftpb.Message{
		Type: raftpb.MsgApp.Enum(), From: new(uint64(1)), To: new(uint64(2)), Term: new(uint64(3)),
		Entries: []*raftpb.Entry{
			{Index: new(uint64(7)), Term: new(uint64(3)), Data: []byte("seven")},
			{Index: new(uint64(8)), Term: new(uint64(3))},
			{Index: new(uint64(9)), Term: new(uint64(3)), Data: []byte("nine")},
		},
	}
	f, err := encodeRaft(m, new(notes))
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := decodeRaft(bytes.Join(f.Bufs, nil))
	if err != nil || got.String() != m.String() {
		t.Errorf("got %v, %v; want %v", got, err, m)
	}
}

func FuzzDecodeFrames(f *testing.F) {
	m := &raftpb.Message{Type: raftpb.MsgApp.Enum(), Entries: []*raftpb.Entry{{Data: []byte("x")}}}
	frame, err := encodeRaft(m, new(notes))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Join(frame.Bufs, nil))
	f.Add(bytes.Join(encodeForward([]forwarded{{1, []byte("head"), []byte("payload"), 0, nil}}, true).Bufs, nil))
	f.Add(bytes.Join(encodeRefuse(refusal{1, 2}).Bufs, nil))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _, _ = decodeRaft(b)
		_, _ = decodeForward(b)
		_, _ = decodeRefuse(b)
	})
}
