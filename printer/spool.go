package printer

import (
	"printq/printer/device"
	"printq/queue"
	"printq/queue/queuepb"
)

// How a device is driven that takes whole jobs and keeps a record of them: the job is made there, which prints nothing; its id is
// committed; only then the document goes to that id, and its fate is followed.

// Why an attempt ended at the device though nobody here asked.
const (
	failureCanceled = "canceled-at-device"
	failureAborted  = "aborted-by-device"
)

// spool goes on with a job on a spooler.
func (t *turn) spool(w *queue.Work) {
	stopping := w.Stopping || t.session.failed.attempt == w.Attempt
	switch {
	case t.out():
		t.propose(done, t.doneCommand(w, t.have()))
	case t.session.ended.attempt == w.Attempt:
		t.conclude(w, stopping)
	case stopping && !t.halt():
	case stopping && w.Remote == "": // the document has been nowhere: there was no id to send it to
		t.end(w, false)
	case stopping:
		t.begin(&Operation{Kind: CancelJob, Work: w, Cluster: t.drive.Cluster, Remote: w.Remote, Spelled: t.spelled(w)})
	case w.Remote != "":
		t.progress(w)
		if t.drain {
			t.halt()
		}
		t.begin(&Operation{
			Kind: FollowJob, Work: w, Cluster: t.drive.Cluster, Remote: w.Remote, Spelled: t.spelled(w), Taken: w.Sent >= w.Units*w.Copies,
		})
	case t.session.made.attempt == w.Attempt:
		t.propose(remote, &queuepb.Command{Body: &queuepb.Command_Remote{Remote: &queuepb.Remote{
			Device: t.drive.Device, Token: t.token(), Attempt: w.Attempt, Id: t.session.made.id,
		}}})
	case !t.giveBack(w):
		t.begin(&Operation{Kind: CreateJob, Work: w, Cluster: t.drive.Cluster, Spelled: t.spelled(w)})
	}
}

// spelled: the device cannot make the copies that are left.
func (t *turn) spelled(w *queue.Work) bool {
	left := w.Copies - w.Start/w.Units
	return w.Start%w.Units == 0 && left > 1 && left > t.session.state.Copies
}

// conclude says in the log how the job ended at the device. What is out is said before what is not known.
func (t *turn) conclude(w *queue.Work, stopping bool) {
	e := t.session.ended
	known := e.Known || e.End == device.Untouched
	switch {
	case e.End == device.Completed && e.Known:
		t.propose(done, t.doneCommand(w, w.Units*w.Copies))
	case stopping:
		t.end(w, !known)
	case e.End == device.Untouched && t.have() == w.Start:
		t.yield(w)
	case known:
		t.session.failed = failure{w.Attempt, map[device.End]string{device.Canceled: failureCanceled}[e.End]}
		if t.session.failed.reason == "" {
			t.session.failed.reason = failureAborted
		}
		t.end(w, false)
	default:
		t.propose(doubtful, &queuepb.Command{Body: &queuepb.Command_Doubtful{Doubtful: &queuepb.Doubtful{
			Device: t.drive.Device, Token: t.token(), Attempt: w.Attempt, Units: uint32(t.have()), Why: short(e.why()),
		}}})
	}
}

// end says that the attempt is over before everything was out.
func (t *turn) end(w *queue.Work, unclear bool) {
	if unclear {
		t.session.unclear = w.Attempt
	}
	command := t.doneCommand(w, t.have())
	t.stopped(w, command.GetDone())
	t.propose(done, command)
}

// why says in a sentence why nobody knows what came out.
func (e ended) why() string {
	what := map[device.End]string{
		device.Gone: "the printer does not know the job any more", device.Canceled: "the job was canceled at the printer",
		device.Aborted: "the printer aborted the job", device.Completed: "nobody knows whether the printer had the whole document",
	}[e.End]
	if e.Detail != "" {
		what += ": " + e.Detail
	}
	return what
}
