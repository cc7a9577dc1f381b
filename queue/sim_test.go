package queue

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"printq/queue/queuepb"
)

// A sim is the state, two simulated devices, and a leader of each for every term so far, none of which ever stops. Requests
// and proposals are delayed, doubled and lost.
type sim struct {
	*world
	rnd       *rand.Rand
	trays     map[uint64]*tray
	leaders   []*leader
	letters   []letter
	proposals []proposal
	clerk     clerk // nil: nobody sends a document after its job
	wipes     int
	force     bool
	fault     string // the first thing that should not be
}

type proposal struct {
	term uint64
	cmd  *queuepb.Command
}

func newSim(tb testing.TB, seed uint64, broken string) *sim {
	w := newWorld(tb)
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"tray:/p"}}))
	w.must(setPrinter("q", &queuepb.PrinterSettings{Devices: []string{"tray:/q"}}))
	s := &sim{world: w, rnd: rand.New(rand.NewPCG(seed, 1)), trays: map[uint64]*tray{}}
	for id := range uint64(2) {
		s.trays[id+1] = &tray{mark: mark{closed: true}, broken: broken}
	}
	s.elect()
	return s
}

func (s *sim) wrong(format string, args ...any) {
	if s.fault == "" {
		s.fault = fmt.Sprintf(format, args...)
	}
}

func (s *sim) elect() {
	s.epoch++
	s.commit(nil)
	for id := range s.trays {
		s.leaders = append(s.leaders, &leader{term: s.epoch, device: id, view: s.Drive(id)})
	}
	slices.SortStableFunc(s.leaders, func(a, b *leader) int { return int(a.term*2+a.device) - int(b.term*2+b.device) })
}

// commit appends one entry, and checks what it did.
func (s *sim) commit(cmd *queuepb.Command) Result {
	lasts := [3]Token{}
	for id := uint64(1); id <= 2; id++ {
		lasts[id] = s.devices[id].last
	}
	var r Result
	switch {
	case cmd == nil:
		r = s.entry()
	case cmd.Payload > 0:
		r = s.packed([]byte("x"), cmd)
	default:
		r = s.entry(cmd)
	}
	for id := uint64(1); id <= 2; id++ {
		if d := s.devices[id]; d.last.Less(lasts[id]) || d.token != (Token{}) && d.token != d.last {
			s.wrong("inv 4: device %d: token %v after %v", id, d.token, lasts[id])
		}
	}
	if cmd != nil && cmd.Term != 0 && cmd.Term != s.epoch && (len(r.Lines) != 1 || len(r.Jobs)+len(r.Devices) != 0) {
		s.wrong("inv 3: a decision of term %d took effect in term %d", cmd.Term, s.epoch)
	}
	for _, l := range r.Lines {
		s.checkStart(l)
	}
	if s.rnd.IntN(40) == 0 {
		s.drain()
	}
	return r
}

// checkStart: no job that is still waiting was before the one that was chosen.
func (s *sim) checkStart(l Line) {
	var line struct{ Type string }
	if err := json.Unmarshal(l.JSON, &line); err != nil {
		s.Fatal(err)
	}
	j := s.jobs.get(l.Job)
	if line.Type != "start" || j == nil {
		return
	}
	turns := &j.printer.turns
	for _, x := range turns.list {
		if turns.before(x.job, j) {
			s.wrong("inv 9: job %d began before job %d", j.id, x.id)
		}
	}
}

// step lets one thing happen.
func (s *sim) step(quiet bool) {
	switch n := s.rnd.IntN(100); {
	case n < 2 && !quiet && s.epoch < 6:
		s.elect()
	case n < 12 && !quiet:
		s.fact()
	case n < 13 && !quiet && s.wipes > 0:
		s.wipes--
		d := s.trays[1+s.rnd.Uint64N(2)]
		*d = tray{epoch: d.epoch + 1, mark: mark{closed: true}, paper: append(d.paper, sheet{}), broken: d.broken}
	case n < 30:
		l := s.leaders[len(s.leaders)-1-s.rnd.IntN(2)] // an older one applies nothing of a later term
		l.view = s.Drive(l.device)
	case n < 55 && quiet: // the older ones have died
		s.lead(s.leaders[len(s.leaders)-1-s.rnd.IntN(2)])
	case n < 55:
		s.lead(s.leaders[s.rnd.IntN(len(s.leaders))])
	case n < 80 && len(s.proposals) > 0:
		i := s.rnd.IntN(len(s.proposals))
		p := s.proposals[i]
		if p.cmd.GetClaim() != nil || quiet || s.rnd.IntN(10) > 0 { // or a copy of it stays under way
			s.proposals = slices.Delete(s.proposals, i, i+1)
		}
		p.cmd.Term = p.term
		s.commit(p.cmd)
	case len(s.letters) > 0 && (quiet || n < 92):
		s.deliver(s.rnd.IntN(len(s.letters)), quiet)
	}
}

func (s *sim) lead(l *leader) {
	m, p := l.act()
	if m != nil && len(s.letters) < 12 && !slices.Contains(s.letters, *m) {
		s.letters = append(s.letters, *m)
	}
	if p != nil && (p.GetClaim() != nil || len(s.proposals) < 12) {
		s.proposals = append(s.proposals, proposal{l.term, p})
	}
}

func (s *sim) deliver(i int, quiet bool) {
	m := s.letters[i]
	fate := s.rnd.IntN(8)
	if quiet || fate != 0 { // or a copy of it stays under way
		s.letters = slices.Delete(s.letters, i, i+1)
	}
	d := s.trays[m.device]
	high, out := d.high, len(d.paper)
	r := d.receive(m)
	if len(d.paper) > out && s.devices[m.device].attempt != m.attempt && s.wipes < 0 && !s.force {
		s.wrong("a page of attempt %d came out, which had ended", m.attempt)
	}
	if d.high.Less(high) {
		s.wrong("inv 4: device accepted %v after %v", d.high, high)
	}
	if quiet || fate != 1 { // or the reply is lost
		m.from.hear(m, r)
	}
}

func (s *sim) fact() {
	id := 1 + s.rnd.Uint64N(s.nextJob)
	if k := s.Drive(1 + s.rnd.Uint64N(2)).Work; k != nil && s.rnd.IntN(3) > 0 {
		id = k.Job
	}
	to := []string{"p", "q"}[s.rnd.IntN(2)]
	var c *queuepb.Command
	kinds := 9
	if s.clerk != nil {
		kinds = 12
	}
	switch s.rnd.IntN(kinds) {
	case 9, 10, 11:
		c = s.clerk.ask(s, to)
	case 0, 1:
		c = submit(to, 2, uint32(1+s.rnd.IntN(2)))
		c.GetSubmit().Priority = uint32(1 + s.rnd.IntN(3))
	case 2:
		c = cancelJob(id)
	case 3:
		c = holdJob(id)
	case 4, 5:
		c = releaseJob(id)
	case 6:
		c = moveJob(id, to, s.force && s.rnd.IntN(2) == 0)
	case 7:
		c = reprintJob(id, uint32(s.rnd.IntN(3)))
	case 8:
		c = &queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{Job: id, Answer: &queuepb.Resolve_ReprintFrom{ReprintFrom: 1}}}}
	}
	c.Session, c.Seq = 99, s.at
	s.clerk.note(c, s.commit(c))
}

// audit looks at state and paper together.
func (s *sim) audit() {
	check(failer{s}, s.State)
	for id, d := range s.trays {
		for i, a := range d.paper {
			for k := i + 2; k < len(d.paper); k++ {
				if a.attempt != 0 && d.paper[k].attempt == a.attempt && d.paper[i+1].attempt != a.attempt && d.paper[i+1].attempt != 0 {
					s.wrong("inv 5: attempt %d of device %d is mixed with %d", a.attempt, id, d.paper[i+1].attempt)
				}
			}
		}
		if x := s.devices[id]; x.job != nil && int(x.job.printed-x.job.attempt().from) > len(d.units(x.attempt)) {
			s.wrong("inv 7: %d units of attempt %d recorded, out: %v", x.job.printed, x.attempt, d.units(x.attempt))
		}
	}
	for id := uint64(1); id < s.nextJob; id++ {
		s.auditJob(s.job(id))
	}
	s.clerk.audit(s)
}

func (s *sim) auditJob(j *Job) {
	if j.InDoubt != nil && s.wipes < 0 && !s.force {
		s.wrong("inv 15: job %d is in doubt", j.Id)
	}
	for _, a := range j.Attempts {
		if j.InDoubt != nil || a.Outcome == "" || a.Outcome == reasonInDoubt {
			continue
		}
		var want []int
		for u := a.From + 1; u <= a.Printed; u++ {
			want = append(want, int(u))
		}
		if got := s.trays[a.Device].units(a.Number); !slices.Equal(got, want) {
			s.wrong("inv 6: attempt %d of job %d %s after %v, and came out as %v", a.Number, j.Id, a.Outcome, want, got)
		}
	}
}

// units are those of an attempt, as they came out.
func (d *tray) units(attempt uint64) (list []int) {
	for _, p := range d.paper {
		if p.attempt == attempt {
			list = append(list, p.unit)
		}
	}
	return list
}

type failer struct{ s *sim }

func (f failer) Fatalf(format string, args ...any) { f.s.wrong(format, args...) }

// run takes so many steps, and then lets everything come to an end.
func (s *sim) run(steps int) string {
	for i := range steps {
		s.step(false)
		if i%16 == 0 {
			s.audit()
		}
		if s.fault != "" {
			return s.fault
		}
	}
	for range 40 {
		for range 100 {
			s.step(true)
		}
		if s.audit(); s.fault != "" || s.counts[Pending]+s.counts[Processing]+s.counts[Stopped] == 0 {
			return s.fault
		}
	}
	return fmt.Sprintf("inv 14: jobs did not end: %v; drives %+v\n%s", s.counts, s.Drives(), strings.Join(s.lines[max(0, len(s.lines)-9):], "\n"))
}

func TestFence(t *testing.T) {
	for name, set := range map[string]func(*sim){
		"plain": func(s *sim) { s.wipes = -1 },
		"force": func(s *sim) { s.wipes, s.force = -1, true },
		"wipes": func(s *sim) { s.wipes = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				s := newSim(t, rapid.Uint64().Draw(r, "seed"), "")
				s.clerk = clerk{}
				set(s)
				if fault := s.run(rapid.IntRange(100, 700).Draw(r, "steps")); fault != "" {
					r.Fatal(fault)
				}
			})
		})
	}
}

// The checks notice a device that does not keep the rule. (Tokens and the order of attempts are walls behind others: in
// these runs nothing gets as far as them.)
func TestFenceBroken(t *testing.T) {
	for _, broken := range []string{"tombstone", "repeat", "closed"} {
		t.Run(broken, func(t *testing.T) {
			for seed := range uint64(300) {
				s := newSim(t, seed, broken)
				s.wipes = -1
				if fault := s.run(600); fault != "" {
					t.Logf("seed %d: %s", seed, strings.SplitN(fault, "\n", 2)[0])
					return
				}
			}
			t.Error("nothing was noticed")
		})
	}
}
