package node

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// Where a sync takes long, a leader waits a moment for the clients that were answered last; never for others, and never long.
func TestProposalsAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		leader := w.leader()
		leader.must(setPrinter("p", "tray:/a"), nil)
		g := newGatherer()
		ask := func(n int, sync time.Duration) (calls []*call) {
			for range n {
				calls = append(calls, leader.propose(submit("p", "", []byte("x")), []byte("x")))
			}
			g.hold(leader.core, sync, false)
			w.work()
			return calls
		}
		const slow = 8 * time.Millisecond

		if calls := ask(3, slow); !calls[2].ended {
			t.Fatal("three that come together wait for nobody")
		}
		if calls := ask(1, slow/100); !calls[0].ended {
			t.Error("one waits, though a sync costs nothing")
		}
		ask(3, slow/100)
		first := ask(1, slow)
		if first[0].ended {
			t.Fatal("one went alone, though three went last time")
		}
		if rest := ask(2, slow); !first[0].ended || !rest[1].ended {
			t.Error("three are there and still wait")
		}
		alone := ask(1, slow)
		began := time.Now()
		<-g.timer.C
		if took := time.Since(began); took != slow/8 {
			t.Errorf("it waited for %v", took)
		}
		g.hold(leader.core, slow, true)
		if w.work(); !alone[0].ended {
			t.Fatal("one that was waited for long enough does not go")
		}
		if again := ask(1, slow); !again[0].ended {
			t.Error("a client that is alone is waited for")
		}
	})
}

// As long as clients come a leader waits for the next, up to half of what a sync takes.
func TestGatheringHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		leader := w.leader()
		leader.must(setPrinter("p", "tray:/a"), nil)
		g := newGatherer()
		const slow, step = 8 * time.Millisecond, 900 * time.Microsecond
		ask := func() *call {
			c := leader.propose(submit("p", "", []byte("x")), []byte("x"))
			g.hold(leader.core, slow, false)
			return c
		}
		for range 20 {
			leader.propose(submit("p", "", []byte("x")), []byte("x"))
		}
		w.work()

		began := time.Now()
		first := ask()
		for !first.ended {
			select {
			case <-g.timer.C:
				g.hold(leader.core, slow, true)
			case <-time.After(step):
				ask()
			}
			w.work()
		}
		if took := time.Since(began); took < slow/4 || took > slow/2+step {
			t.Errorf("it waited for %v for clients that came each %v", took, step)
		}

		for range 20 {
			leader.propose(submit("p", "", []byte("x")), []byte("x"))
		}
		w.work()
		ask()
		time.Sleep(slow / 10)
		g.answered()
		began = time.Now()
		<-g.timer.C
		if took := time.Since(began); took != slow/8 {
			t.Errorf("it waited for %v after an answer", took)
		}
	})
}

// What a follower has of the log it says once in a tick, and again in the next.
func TestAcknowledgementsAreNotRepeated(t *testing.T) {
	w := newWorld(t, 3)
	f := w.follower().core
	ack := &raftpb.Message{
		Type: raftpb.MsgAppResp.Enum(), From: new(f.id), To: new(f.lead), Term: new(f.term), Index: new(f.batch.applied.Index + 5),
	}
	sent := func() int {
		before := len(w.packets)
		f.send([]*raftpb.Message{ack})
		return len(w.packets) - before
	}
	if first, second := sent(), sent(); first != 1 || second != 0 {
		t.Errorf("it was sent %d times, and then %d times", first, second)
	}
	f.Tick(w.now)
	w.packets = nil
	if sent() != 1 {
		t.Error("it is not said again in the next tick, though the first may have been lost")
	}
	ack.Index = new(ack.GetIndex() + 1)
	if sent() != 1 {
		t.Error("what is new is not said")
	}
}

// A submit is refused at once where the printer's devices said that they do not take its format.
func TestFormatsAreRefused(t *testing.T) {
	w := newWorld(t, 3)
	leader := w.leader()
	leader.driver.formats = []string{"application/pdf"}
	leader.must(setPrinter("p", "tray:/a"), nil)
	w.until("the device has answered", func() bool { return leader.core.queue.Drives()[0].Resumed })

	c := leader.propose(submit("p", "", []byte("x")), []byte("x"))
	if !c.ended || !errors.Is(c.err, ErrFormat) || !strings.Contains(c.err.Error(), "application/pdf") {
		t.Errorf("text for a printer of PDF: %v", c.err)
	}
	pdf := submit("p", "", []byte("x"))
	pdf.GetSubmit().Format = "application/pdf"
	leader.must(pdf, []byte("x"))
	unknown := submit("p", "", []byte("x"))
	unknown.GetSubmit().Format = ""
	leader.must(unknown, []byte("x"))
}
