package http

import (
	"encoding/hex"
	"slices"
	"time"

	"printq/http/api"
	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

func jobOf(s *node.JobStatus) api.Job {
	j := s.Job
	job := api.Job{
		ID: j.Id, Printer: j.Printer, State: queue.JobState(j.State).String(), Reason: j.Reason, Waits: s.Waits,
		Name: j.Name, User: j.User, Format: j.Format, Bytes: j.Bytes, SHA256: hex.EncodeToString(j.Sha256),
		Pages: j.Pages, Units: j.Units, Printed: j.Printed, Copies: j.Copies, Priority: j.Priority, Of: j.Of, DuplicateOf: j.DuplicateOf,
		Submitted: api.Submitted{
			Index: j.Submitted.GetIndex(), Term: j.Submitted.GetTerm(), Time: timeOf(j.Submitted.GetTime()),
		},
		Attempts: make([]api.Attempt, len(j.Attempts)),
		Stopping: stoppingOf(j.Stopping), MoveTo: j.MoveTo, DocumentGone: j.DocumentGone, Changed: j.Changed,
	}
	if j.Ttl > 0 {
		job.TTL = time.Duration(j.Ttl).String()
	}
	if j.Began > 0 {
		job.Began = timeOf(j.Began)
	}
	if j.Ended > 0 {
		job.Ended = timeOf(j.Ended)
	}
	if d := j.InDoubt; d != nil {
		job.InDoubt = &api.Doubt{Copy: d.Copy, From: d.From, To: d.To, Last: d.Last, Why: d.Why}
		if d.Last == 0 {
			job.InDoubt.Last = j.Units * j.Copies
		}
	}
	if len(j.Options) > 0 {
		job.Options = make(map[string]string, len(j.Options))
		for _, o := range j.Options {
			job.Options[o.Name] = o.Value
		}
	}
	for i, a := range j.Attempts {
		job.Attempts[i] = api.Attempt{
			Token: tokenOf(a.Token), Number: a.Number, Device: a.Device, From: a.From, Printed: a.Printed, Outcome: a.Outcome,
			Remote: a.Remote,
		}
	}
	return job
}

func stoppingOf(n uint32) string {
	switch n {
	case 1:
		return "cancel"
	case 2:
		return "hold"
	case 3:
		return "move"
	}
	return ""
}

func timeOf(unixNano int64) time.Time { return time.Unix(0, unixNano).UTC() }

func tokenOf(t *queuepb.Token) [2]uint64 { return [2]uint64{t.GetTerm(), t.GetIndex()} }

func printerOf(s *node.PrinterStatus) api.Printer {
	p := api.Printer{
		Name: s.Name, Devices: append([]string{}, s.Settings.Devices...), InDoubt: s.Settings.InDoubt, Pool: s.Settings.Pool,
		TTL: s.Settings.TTL.String(), Keep: s.Settings.Keep.String(), Retention: s.Settings.Retention.String(),
		Offers: s.Settings.Offers, Paused: s.Paused, Accepting: !s.Rejecting, Default: s.Default,
		Info: s.Description.GetInfo(), Location: s.Description.GetLocation(), State: stateOf(s), Reason: s.Reason,
		Pending: s.Pending, Held: s.Held, Processing: s.Processing, Stopped: s.Stopped,
		Status: make([]api.Device, len(s.Devices)), Created: s.Created, Changed: s.Changed,
	}
	if len(p.Devices) > 0 {
		p.Device = p.Devices[0]
	}
	for i, d := range s.Devices {
		p.Status[i] = deviceOf(d)
	}
	// As in the settings: in a pool the order may count. Those that are being removed come last.
	place := func(d api.Device) int {
		if at := slices.Index(p.Devices, d.URI); at >= 0 {
			return at
		}
		return len(p.Devices)
	}
	slices.SortStableFunc(p.Status, func(a, b api.Device) int { return place(a) - place(b) })
	return p
}

// stateOf is IPP's printer-state (RFC 8011 §5.4.11): stopped where nothing new would be printed.
func stateOf(s *node.PrinterStatus) string {
	well := 0
	for _, d := range s.Devices {
		if !queue.Blocking(d.Reason) && !d.Stopped {
			well++
		}
	}
	switch {
	case s.Paused, well == 0:
		return "stopped"
	case s.Processing > 0:
		return "processing"
	}
	return "idle"
}

func deviceOf(d *queue.Device) api.Device {
	device := api.Device{
		ID: d.Id, URI: d.Uri, Token: tokenOf(d.Token), Resumed: d.Resumed, Identity: d.Identity, Epoch: d.Epoch,
		Job: d.Job, Attempt: d.Attempt, Printed: d.Progress, Recovering: d.Recovering,
		Reason: d.Reason, Detail: d.Detail, Stopped: d.Stopped, About: d.About, Formats: d.Formats, Remote: d.Remote,
	}
	if d.Known {
		class := queue.Class(d.Class)
		device.Class, device.Promise = class.String(), promises[class]
	}
	if d.Intended > d.Progress {
		device.Announced = d.Intended
	}
	return device
}

// promises are what each class of device means for the paper, for people.
var promises = map[queue.Class]string{
	queue.Fenced: "Exact: the device keeps a durable mark and refuses what is old. Whichever member dies, each page comes out once.",
	queue.Counted: "Exact while only printq prints there: the device's page counter tells after a failure what came out. " +
		"Where it cannot, the pages on their way are named as in doubt.",
	queue.WholeJob: "Exact while the device remembers its jobs: after a failure printq asks for the job by its name and number. " +
		"If the device forgot it, the job is named as in doubt.",
	queue.Blind: "The device cannot say what it printed. After a failure the unit on its way, a page where pages stand alone, " +
		"else the document, is named as in doubt (several, where window or unit=job in its URI say so); nothing else is doubled or lost.",
}

func clusterOf(s node.ClusterStatus, version string) api.Cluster {
	c := api.Cluster{
		Cluster: s.Cluster, ID: s.ID, Leader: s.Leader, Term: s.Term, Applied: s.Applied, Commit: s.Commit,
		Version: s.Version, Software: version, Members: make([]api.Member, len(s.Members)),
		Seq: s.Seq, Chain: s.Chain, Alarms: s.Alarms,
	}
	if s.KeyReach > 0 {
		c.KeyReach = s.KeyReach.String()
	}
	for i, m := range s.Members {
		c.Members[i] = api.Member{ID: m.ID, HTTP: m.HTTP, Peer: m.Peer, Voter: m.Voter, Connected: m.Connected, Lag: m.Lag}
	}
	return c
}
