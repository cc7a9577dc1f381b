package sim

import (
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"printq/queue"
	"printq/queue/queuepb"
)

// jobHistory is what the log's lines said of a job, where it matters for the checks.
type jobHistory struct {
	attempts map[uint64]bool
	// A new attempt is allowed: the job was released, moved, resolved, or its attempt ended for a reason.
	again  bool
	doubts int
	doubt  queueDoubt // the last one
	forced bool
	// Somebody has asked for it from its beginning; how often that was, and where its last round began.
	restart, begun bool
	round, from    int
	canceled       bool
	aborted        time.Duration
	// When the log had it.
	submitted time.Duration
}

// A line as far as the checks need it.
type line struct {
	Type     string      `json:"type"`
	Printer  string      `json:"printer"`
	Job      uint64      `json:"job"`
	Device   uint64      `json:"device"`
	Attempt  uint64      `json:"attempt"`
	Outcome  string      `json:"outcome"`
	State    string      `json:"state"`
	Stopping string      `json:"stopping"`
	Force    bool        `json:"force"`
	What     string      `json:"what"`
	Why      string      `json:"why"`
	SHA256   string      `json:"sha256"`
	Doubt    *queueDoubt `json:"doubt"`
	Units    int         `json:"units"`
	ID       string      `json:"id"`
}

type queueDoubt struct{ Copy, From, To, Last uint32 }

// checkTags: a decision is effective only in the term of its tag (invariant 3).
func (h *history) checkTags(e queue.Entry, r queue.Result) {
	if len(e.Data) == 0 {
		return
	}
	batch, _, err := queue.Unpack(e.Data)
	if err != nil {
		h.w.violated(1, "entry %d: %v", e.Index, err)
	}
	void := 0
	for _, c := range batch.Commands {
		if decides(c) && h.w.tag(c) != e.Term {
			void++
			h.w.counts.add("race: decision of an older term committed in a newer one")
		}
		if c.GetClaim() != nil && c.Term == e.Term {
			h.claims[queue.Token{Term: e.Term, Index: e.Index}] = true
		}
	}
	if void == len(batch.Commands) && len(r.Devices)+len(r.Jobs) > 0 {
		h.w.violated(3, "entry %d of term %d holds only decisions of other terms, and changed something", e.Index, e.Term)
	}
}

// decides reports whether a command is a decision.
func decides(c *queuepb.Command) bool {
	switch c.GetBody().(type) {
	case *queuepb.Command_Claim, *queuepb.Command_Resume, *queuepb.Command_Printed, *queuepb.Command_Done,
		*queuepb.Command_Closed, *queuepb.Command_Report, *queuepb.Command_Expire, *queuepb.Command_Checkpoint:
		return true
	}
	return false
}

// tag is the term that a decision was made in.
func (w *World) tag(c *queuepb.Command) uint64 {
	for _, m := range w.forged {
		if proto.Equal(m.now, c) && !w.mutant.TagsUnseen {
			return m.term
		}
	}
	return c.GetTerm()
}

// A forgery is an old decision that a mutant has let count.
type forgery struct {
	now  *queuepb.Command
	term uint64
}

// checkTokens: they only grow (invariant 4).
func (h *history) checkTokens(old []queue.Drive) {
	for _, before := range old {
		d := h.drive(before.Device)
		if d == nil || d.Token == before.Token {
			continue
		}
		if d.Token != (queue.Token{}) && d.Token.Less(before.Token) {
			h.w.violated(4, "device %d has token %v after %v", d.Device, d.Token, before.Token)
		}
	}
}

// checkProgress: what is recorded is out (invariant 7).
func (h *history) checkProgress(r queue.Result) {
	for _, id := range r.Devices {
		d := h.drive(id)
		if d == nil || d.Work == nil {
			continue
		}
		w := d.Work
		if out := h.w.paper.known(d, w); w.Printed > max(w.Start, out) {
			h.w.violated(7, "job %d attempt %d: %d units are recorded, %d came out", w.Job, w.Attempt, w.Printed, out)
		}
	}
}

func (h *history) checkLines(r queue.Result) {
	for _, raw := range r.Lines {
		var l line
		if err := json.Unmarshal(raw.JSON, &l); err != nil {
			h.w.violated(1, "line %d is not JSON: %v", raw.Seq, err)
		}
		if l.Job != 0 {
			h.about(l)
		}
	}
	h.begun(r)
	for _, id := range r.Jobs {
		h.checkEnd(id)
	}
}

func (h *history) about(l line) {
	j := h.jobs[l.Job]
	if j == nil {
		j = &jobHistory{attempts: map[uint64]bool{}, again: true}
		h.jobs[l.Job] = j
	}
	switch l.Type {
	case "start":
		h.started(l, j)
	case "submit":
		j.submitted = h.w.now
		h.w.clients.submitted(l.Job, l.SHA256)
	case "expire":
		j.aborted = h.w.now
		h.checkTime(j, l.Job)
	case "reprint": // it has no key: only the member's session tells that it was sent again
		if h.reprints[l.Why] {
			h.w.violated(2, "%s was carried out twice", l.Why)
		}
		h.reprints[l.Why] = true
	case "cancel":
		j.canceled = true
	case "release", "move":
		j.again, j.restart = true, true
	case "resolve", "yield":
		j.again = true
	case "intent":
		h.attempts[printing{l.Job, l.Attempt}].announced = l.Units
	case "remote":
		h.attempts[printing{l.Job, l.Attempt}].remote = l.ID
	case "void":
		h.w.counts.add("void: " + l.What)
	}
	if l.Doubt != nil && (l.Outcome == "in-doubt" || l.Type == "doubt" || l.Force) { // else it is said again
		h.noteDoubt(l)
	}
	if l.Force {
		j.forced = true
		h.w.counts.add("forced move")
	}
	if l.Doubt != nil && (*l.Doubt != j.doubt || l.Outcome == "in-doubt") { // else it is said again, of a job that goes on
		j.doubts, j.doubt = j.doubts+1, *l.Doubt
		h.inDoubt(l, j)
	}
}

// started: an attempt needs a reason to be another than the first (no page is doubled), and comes in order (invariant 9).
func (h *history) started(l line, j *jobHistory) {
	if !j.again {
		h.w.violated(6, "job %d begins attempt %d, and nobody asked for another one", l.Job, l.Attempt)
	}
	j.again = false
	j.attempts[l.Attempt] = true
	began, err := h.state.Job(l.Job, nil)
	if err != nil || began == nil {
		h.w.violated(9, "job %d begins and is not there: %v", l.Job, err)
	}
	for other := range h.state.LiveJobs(0) {
		if other.Printer != l.Printer || queue.JobState(other.State) != queue.Pending {
			continue
		}
		if other.Priority > began.Priority || other.Priority == began.Priority && other.Id < began.Id {
			h.w.violated(9, "job %d begins before job %d on %s", began.Id, other.Id, l.Printer)
		}
	}
}

// inDoubt: a job on a fenced device is in doubt only where the device forgot, or the move was forced (invariant 15).
func (h *history) inDoubt(l line, j *jobHistory) {
	h.w.counts.add("job in doubt")
	j.again = true // the printer's policy may begin another one
	if j.forced {
		return
	}
	for _, t := range h.w.trays {
		if t.device() == l.Device && (t.wiped > 0 || t.press != nil || t.head != nil && t.head.unclear > 0) {
			return
		}
	}
	h.w.violated(15, "job %d is in doubt, and its device has not forgotten anything: %+v", l.Job, l)
}

// checkEnd: a job that ended as completed is on paper (invariant 6).
func (h *history) checkEnd(id uint64) {
	j, err := h.state.Job(id, nil)
	if err != nil || j == nil || len(j.Attempts) == 0 {
		return
	}
	a := j.Attempts[len(j.Attempts)-1]
	if queue.JobState(j.State) != queue.Completed || a.Outcome != "completed" {
		return
	}
	total := int(j.Units * j.Copies)
	if x := h.attempts[printing{id, a.Number}]; x != nil && x.tray != nil && x.tray.press != nil {
		return // invariant 8 is looked at when all is out
	}
	if text := h.w.paper.whole(id, a.Number, int(a.From), total); text != "" {
		h.w.violated(6, "job %d attempt %d is completed: %s", id, a.Number, text)
	}
}

func describe(d queue.Drive) string {
	work := "idle"
	if w := d.Work; w != nil {
		work = fmt.Sprintf("job %d attempt %d, %d of %d×%d out, stopping %v", w.Job, w.Attempt, w.Printed, w.Copies, w.Units, w.Stopping)
	}
	return fmt.Sprintf("device %d of %s token %v resumed %v closing %d stopped %v reason %q: %s",
		d.Device, d.Printer, d.Token, d.Resumed, d.Closing, d.Stopped, d.Reason, work)
}
