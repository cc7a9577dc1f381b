package queue

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"printq/queue/queuepb"
)

// Two replays of one log, one of which drains and is loaded anew at random points, come to equal lines, digests, records
// and answers.
func TestPure(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := newWorld(t), newWorld(t)
		g := &gibberish{rnd: rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 0)), w: a}
		for range rapid.IntRange(1, 200).Draw(r, "entries") {
			g.entry()
			e := a.log[len(a.log)-1]
			x := g.last
			y := b.replay(e)
			if fmt.Sprint(x.Outcomes, x.Devices, x.Jobs, x.Retain, x.Release) != fmt.Sprint(y.Outcomes, y.Devices, y.Jobs, y.Retain, y.Release) {
				r.Fatalf("entry %d:\n%+v\n%+v", e.Index, x, y)
			}
			if x.Checkpoint != nil && *x.Checkpoint != *y.Checkpoint {
				r.Fatalf("checkpoint %+v, %+v", x.Checkpoint, y.Checkpoint)
			}
			if g.n(5) == 0 {
				b.drain()
			}
			check(r, b.State)
		}
		if !slices.Equal(a.lines, b.lines) {
			r.Fatalf("lines differ")
		}
		verify(r, a.lines)
		a.drain()
		b.drain()
		for _, bucket := range Buckets {
			if !maps.Equal(texts(a.store[bucket]), texts(b.store[bucket])) {
				r.Fatalf("records of %s differ:\n%v\n%v", bucket, a.store[bucket], b.store[bucket])
			}
		}
	})
}

func texts(m map[string][]byte) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = string(v)
	}
	return out
}

func verify(r interface{ Fatalf(string, ...any) }, lines []string) {
	hash := fmt.Sprintf("%064d", 0)
	for i, l := range lines {
		var err error
		if hash, err = VerifyLine(hash, []byte(l)); err != nil {
			r.Fatalf("line %d: %v\n%s", i+1, err, l)
		}
	}
}

// check is what must hold of a state after every entry.
func check(r interface{ Fatalf(string, ...any) }, s *State) {
	counts := [Completed + 1]int{}
	for j := range s.jobs.all() {
		if j.state.Ended() {
			continue
		}
		counts[j.state]++
		if bound := j.device != nil; bound != (j.state == Processing || j.state == Stopped) || bound && j.device.job != j {
			r.Fatalf("job %d is %s, bound to %+v", j.id, j.state, j.device)
		}
		if (j.turnSlot != 0) != (j.state == Pending) || (j.deadlineSlot != 0) != (j.ttl > 0 && len(j.attempts) == 0 || j.incoming()) {
			r.Fatalf("job %d is %s in slots %d, %d", j.id, j.state, j.turnSlot, j.deadlineSlot)
		}
		if j.printed > j.total() || j.start > j.total() {
			r.Fatalf("job %d: printed %d, start %d of %d", j.id, j.printed, j.start, j.total())
		}
	}
	if counts != [Completed + 1]int(s.counts) && slices.Compare(counts[:Canceled], s.counts[:Canceled]) != 0 {
		r.Fatalf("counts %v, want %v", s.counts, counts)
	}
	checkOpen(r, s)
	checkFirst(r, s)
	for _, d := range s.devices {
		if d.idle() && d.printer.turns.first() != nil {
			r.Fatalf("device %d is idle while job %d waits", d.id, d.printer.turns.first().id)
		}
		if d.job != nil && d.job.device != d {
			r.Fatalf("device %d is at job %d, which is not at it", d.id, d.job.id)
		}
	}
}

// checkFirst is what must hold of the oldest job.
func checkFirst(r interface{ Fatalf(string, ...any) }, s *State) {
	first := s.nextJob
	for j := range s.jobs.all() {
		if !j.gone {
			first = min(first, j.id)
		}
	}
	for id := range s.ended.byID {
		first = min(first, id)
	}
	if got := s.FirstJob(); got != first {
		r.Fatalf("the first job is %d, not %d", first, got)
	}
}

// checkOpen is what must hold of jobs without documents, and of answers that were not seen.
func checkOpen(r interface{ Fatalf(string, ...any) }, s *State) {
	open := 0
	for j := range s.jobs.all() {
		if j.incoming() {
			open++
		}
		if j.incoming() != (!j.state.Ended() && j.bytes == 0) || j.incoming() && (j.state != Held || j.reason != reasonIncoming || !j.created) {
			r.Fatalf("job %d of %d bytes is %s %q, incoming: %v", j.id, j.bytes, j.state, j.reason, j.incoming())
		}
	}
	if open != len(s.opens.list) {
		r.Fatalf("%d jobs wait for documents, %d are listed", open, len(s.opens.list))
	}
	if len(s.unseen.byPrint) > len(s.unseen.byJob) {
		r.Fatalf("unseen: %d by what they are, %d by job", len(s.unseen.byPrint), len(s.unseen.byJob))
	}
}

// gibberish makes entries that are likely to mean something.
type gibberish struct {
	rnd  *rand.Rand
	w    *world
	last Result
	seq  uint64
}

// n is uniform: rapid's own numbers are mostly small, and entries made of them mean little.
func (g *gibberish) n(max int) int { return g.rnd.IntN(max + 1) }

func (g *gibberish) entry() {
	w := g.w
	w.now = w.now.Add([]time.Duration{0, 0, 0, 0, 0, 0, time.Second, time.Second, 20 * time.Minute, 2 * time.Hour, 25 * time.Hour}[g.n(10)])
	if g.n(25) == 0 {
		w.epoch++
		g.last = w.entry()
		return
	}
	for id := uint64(1); id <= 3; id++ { // a leader is seldom idle
		switch d := w.Drive(id); {
		case d.Removed:
		case d.Token == Token{} && g.n(1) == 0:
			g.last = w.entry(w.tag(claim(id)))
			return
		case !d.Resumed && g.n(1) == 0:
			g.last = w.entry(w.tag(g.resume(d)))
			return
		}
	}
	var cmds []*queuepb.Command
	var payload []byte
	for range 1 + g.n(1)*g.n(3) {
		c := g.command()
		if g.n(2) > 0 {
			g.seq++
			c.Session, c.Seq, c.Member = uint64(1+g.n(5)), uint64(g.n(int(g.seq))), 1
			c.Floor = uint64(max(0, int(g.seq)-8))
		}
		c.Term = w.epoch - min(w.epoch, uint64(g.n(8)/8))
		payload = append(payload, make([]byte, c.Payload)...)
		cmds = append(cmds, c)
	}
	g.last = w.packed(payload, cmds...)
}

func (g *gibberish) command() *queuepb.Command {
	w, job := g.w, max(1, g.w.nextJob-min(g.w.nextJob, uint64(1+g.n(6))))
	printer := fmt.Sprintf("p%d", g.n(1))
	device := uint64(1 + g.n(3))
	d := w.Drive(device)
	attempt, units := uint64(0), uint32(0)
	if d.Work != nil {
		attempt, units = d.Work.Attempt, uint32(d.Work.Printed+g.n(2))
	}
	switch g.n(28) {
	case 0, 1, 2:
		c := submit(printer, uint32(1+g.n(2)), uint32(1+g.n(1)))
		if g.n(2) == 0 {
			c.GetSubmit().Key = fmt.Sprintf("k%d", g.n(3))
		}
		c.GetSubmit().Ttl, c.GetSubmit().Hold = int64(g.n(1))*int64(time.Hour), g.n(4) == 0
		c.GetSubmit().Priority = uint32(g.n(2) * 40)
		return c
	case 3:
		return cancelJob(job)
	case 4:
		return holdJob(job)
	case 5, 6:
		return releaseJob(job)
	case 7:
		return moveJob(job, printer, g.n(1) == 0)
	case 8:
		return reprintJob(job, uint32(g.n(2)))
	case 9:
		return &queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{Job: job, Answer: &queuepb.Resolve_Printed{Printed: uint32(g.n(3))}}}}
	case 10:
		devices := []string{"tray:/" + printer, "tray:/x" + printer}
		return setPrinter(printer, &queuepb.PrinterSettings{Devices: devices[:1+g.n(1)], InDoubt: []string{"", "reprint", "skip"}[g.n(2)], Keep: int64(g.n(1)), Retention: int64(g.n(1))})
	case 11:
		return claim(device)
	case 12:
		return g.resume(d)
	case 13:
		switch g.n(3) {
		case 0:
			return &queuepb.Command{Body: &queuepb.Command_AdoptPrinter{AdoptPrinter: &queuepb.AdoptPrinter{Name: printer}}}
		case 1:
			return &queuepb.Command{Body: &queuepb.Command_RemovePrinter{RemovePrinter: &queuepb.RemovePrinter{Name: printer}}}
		case 2:
			return &queuepb.Command{Body: &queuepb.Command_SetMember{SetMember: &queuepb.SetMember{Id: 1, Http: printer}}}
		}
		return &queuepb.Command{Body: &queuepb.Command_Report{Report: &queuepb.Report{Device: device, Token: d.Token.message(), Reason: []string{"", "media-empty"}[g.n(1)]}}}
	case 14:
		return &queuepb.Command{Body: &queuepb.Command_Printed{Printed: &queuepb.Printed{Device: device, Token: d.Token.message(), Attempt: attempt, Units: units}}}
	case 15:
		return &queuepb.Command{Body: &queuepb.Command_Done{Done: &queuepb.Done{
			Device: device, Token: d.Token.message(), Attempt: attempt, Units: units, Stopped: g.n(1) == 0, Failure: []string{"", "document-damaged"}[g.n(5)/5],
		}}}
	case 16:
		return &queuepb.Command{Body: &queuepb.Command_Closed{Closed: &queuepb.Closed{Device: device, Token: d.Token.message(), Attempt: d.Closing}}}
	case 17:
		if due := w.Due(w.now, 100); due != nil {
			return &queuepb.Command{Body: &queuepb.Command_Expire{Expire: due}}
		}
		return &queuepb.Command{Body: &queuepb.Command_Checkpoint{Checkpoint: &queuepb.Checkpoint{}}}
	case 18:
		return &queuepb.Command{Payload: 3, Body: &queuepb.Command_Chunk{Chunk: &queuepb.Chunk{Upload: []byte{byte(g.n(1))}, N: uint32(g.n(2)), Job: job}}}
	case 19:
		sum := sha256.Sum256(nil)
		return &queuepb.Command{Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{Printer: printer, Upload: []byte{byte(g.n(1))}, Chunks: 2, Bytes: 6, Sha256: sum[:]}}}
	}
	if g.n(1) == 0 {
		return g.clerk(job, printer)
	}
	if g.n(2) == 0 {
		return &queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: printer}}}
	}
	return &queuepb.Command{Body: &queuepb.Command_ResumePrinter{ResumePrinter: &queuepb.ResumePrinter{Name: printer}}}
}

// resume answers mostly as the device would.
func (g *gibberish) resume(d Drive) *queuepb.Command {
	mark := &queuepb.Mark{Closed: g.n(1) == 0}
	if d.Work != nil && g.n(3) > 0 {
		mark.Attempt, mark.Copy, mark.Page = d.Work.Attempt, 1, uint32(1+g.n(2))
	}
	c := resume(d.Device, d.Token, mark, fmt.Sprintf("e%d", g.n(9)/9))
	if g.n(9) == 0 {
		c.GetResume().Identity = fmt.Sprint(g.n(2))
	}
	return c
}

// clerk is what a front end asks for.
func (g *gibberish) clerk(job uint64, printer string) *queuepb.Command {
	switch g.n(14) {
	case 12:
		return &queuepb.Command{Body: &queuepb.Command_HoldNew{HoldNew: &queuepb.HoldNew{Printer: printer, Hold: g.n(2) == 0}}}
	case 13:
		after := max(1, job-min(job, uint64(g.n(3)))) * uint64(g.n(1))
		return &queuepb.Command{Body: &queuepb.Command_Reorder{Reorder: &queuepb.Reorder{Job: job, After: after}}}
	case 0, 1, 2:
		c := createJob(printer)
		m := c.GetCreateJob()
		m.Ttl, m.Hold = int64(g.n(1))*int64(time.Hour), g.n(4) == 0
		if g.n(4) == 0 {
			m.Key = fmt.Sprintf("k%d", g.n(3))
		}
		return c
	case 3, 4, 5:
		c := attachTo(job, []string{"x", "y"}[g.n(1)])
		m := c.GetAttachDocument()
		m.UnseenFor = int64(g.n(1)) * int64(30*time.Minute)
		m.Last, m.Number = g.n(1) == 0, uint32(g.n(6)/4*g.n(3))
		if g.n(3) == 0 {
			c.Payload, m.Upload, m.Chunks, m.Bytes = 0, []byte{byte(g.n(1))}, 2, 6
		}
		return c
	case 6:
		return closeJob(job)
	case 7:
		return setJob(job, func(m *queuepb.SetJob) {
			m.Priority, m.Copies = new(uint32(1+g.n(3)*30)), new(uint32(1+g.n(1)))
			if g.n(1) == 0 {
				m.Hold = new(g.n(1) == 0)
			}
		})
	case 8:
		return seen(job, job+1)
	case 9:
		if g.n(1) == 0 {
			return accepting(printer, g.n(2) > 0)
		}
		return &queuepb.Command{Body: &queuepb.Command_SetDefault{SetDefault: &queuepb.SetDefault{Printer: []string{"", printer}[g.n(1)]}}}
	case 10:
		return &queuepb.Command{Body: &queuepb.Command_DescribePrinter{DescribePrinter: &queuepb.DescribePrinter{Printer: printer, Info: new(fmt.Sprint(g.n(1)))}}}
	case 11:
		id := max(1, g.w.nextSubscription-min(g.w.nextSubscription, uint64(g.n(3))))
		if g.n(1) == 0 {
			return &queuepb.Command{Body: &queuepb.Command_Renew{Renew: &queuepb.Renew{Subscription: id, Lease: int64(g.n(2)) * int64(time.Hour)}}}
		}
		return &queuepb.Command{Body: &queuepb.Command_Unsubscribe{Unsubscribe: &queuepb.Unsubscribe{Subscription: id}}}
	}
	if g.n(1) == 0 {
		return subscribeTo("", job, "all")
	}
	return subscribeTo(printer, 0, "all")
}
