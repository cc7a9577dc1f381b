package queue

import "fmt"

// manyBefore is how far Waits counts.
const manyBefore = 1000

// Waits says in one sentence why a job does not print now; empty where it does, has ended, or is not known.
func (s *State) Waits(id uint64) string {
	j := s.jobs.get(id)
	switch {
	case j == nil || j.state.Ended():
		return ""
	case j.inDoubt():
		return fmt.Sprintf("in doubt, %s%s: look at the paper, then say what came out: printq job resolve %d", j.doubtful(), bracketed(j.rare.doubt.Why), id)
	case j.incoming():
		return "waiting for its document"
	case j.state == Held && j.reason == reasonDuplicate:
		return fmt.Sprintf("it may be job %d once more, whose client may not have got our answer: printq job release %d, or cancel it", j.rare.duplicateOf, id)
	case j.state == Held && j.reason == reasonHeldNew:
		return fmt.Sprintf("the printer's new jobs are held: printq job release %d", id)
	case j.state == Held && j.reason == reasonHold:
		return fmt.Sprintf("held by a user: printq job release %d", id)
	case j.state == Held:
		return fmt.Sprintf("held: %s; printq job release %d prints it from its beginning", j.reason, id)
	case j.device != nil:
		return j.device.waits()
	}
	return s.waitsForTurn(j)
}

// waits says what the device of a bound job waits for.
func (d *device) waits() string {
	switch {
	case d.stopped:
		return d.stopSentence()
	case d.recovering && d.token == Token{}:
		return "recovering: no leader of this term has claimed the device yet"
	case d.recovering:
		return "recovering: waiting for the device to say what came out" + d.reported()
	case d.closing != 0:
		return "waiting for an earlier attempt to be closed at the device" + d.reported()
	case d.job.stopping != notStopping:
		return "stopping: waiting for the device to finish its page" + d.reported()
	case d.job.state == Stopped:
		return "the device cannot go on" + d.reported()
	}
	return ""
}

func bracketed(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}

func (d *device) reported() string {
	switch {
	case d.reason == "":
		return ""
	case d.detail == "":
		return ": " + d.reason
	}
	return ": " + d.detail + " (" + d.reason + ")"
}

func (d *device) stopSentence() string {
	return fmt.Sprintf("device %s is stopped%s; if that is right: printq printer adopt %s", d.uri, d.reported(), d.printer.name)
}

func (s *State) waitsForTurn(j *job) string {
	p := j.printer
	switch {
	case len(p.devices) == 0:
		return fmt.Sprintf("printer %s has no device", p.name)
	case p.paused:
		return fmt.Sprintf("printer %s is paused: printq printer resume %s", p.name, p.name)
	}
	before := -1 // the walk visits j, too, if it is before what comes after it
	p.turns.walk(manyBefore+1, func(x *job) bool { return !p.turns.before(j, x) }, func(*job) { before++ })
	switch {
	case before >= manyBefore:
		return fmt.Sprintf("waiting for %d jobs or more before it", manyBefore)
	case before == 1:
		return "waiting for one job before it"
	case before > 1:
		return fmt.Sprintf("waiting for %d jobs before it", before)
	}
	return p.waits()
}

// waits says what keeps a printer from its next job.
func (p *printer) waits() string {
	sentence := ""
	for _, d := range p.devices {
		switch {
		case d.job != nil && d.job.state == Processing:
			return "waiting for the job that is printing"
		case d.stopped:
			sentence = d.stopSentence()
		case d.token == Token{}:
			sentence = "no leader of this term has claimed the device yet" + d.reported()
		case !d.resumed:
			sentence = "waiting for the device to answer" + d.reported()
		case d.job != nil:
			sentence = "waiting for the job before it: " + d.job.device.waits()
		case d.closing != 0:
			sentence = "waiting for an earlier attempt to be closed at the device" + d.reported()
		}
	}
	return sentence
}
