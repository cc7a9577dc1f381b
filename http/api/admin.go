package api

import "time"

// A Printer, its devices and its queue.
type Printer struct {
	Name string `json:"name"`
	// Its device, or the first of a pool.
	Device string `json:"device"`
	// All of them.
	Devices []string `json:"devices"`
	// hold, reprint or skip.
	InDoubt string `json:"in_doubt"`
	// balanced, ordered or standby: which of several devices gets the next job.
	Pool string `json:"pool"`
	// Durations; ttl "0s": none.
	TTL       string `json:"ttl"`
	Keep      string `json:"keep"`
	Retention string `json:"retention"`
	// As in PrinterSettings.
	Offers map[string]string `json:"offers,omitempty"`
	Paused bool              `json:"paused"`
	// It takes new jobs.
	Accepting bool `json:"accepting"`
	// It is meant where no printer is named.
	Default bool `json:"default,omitempty"`
	// What people are told about it.
	Info     string `json:"info,omitempty"`
	Location string `json:"location,omitempty"`
	// idle, processing or stopped (paused, or every device has a reason not to print).
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Live jobs by state.
	Pending    int `json:"pending"`
	Held       int `json:"held"`
	Processing int `json:"processing"`
	Stopped    int `json:"stopped"`
	// What is known of each device, in the order of Devices.
	Status  []Device `json:"status"`
	Created uint64   `json:"created"`
	Changed uint64   `json:"changed"`
}

// A Device of a printer.
type Device struct {
	ID  uint64 `json:"id"`
	URI string `json:"uri"`
	// The live claim, [term, index]; [0,0]: none.
	Token   [2]uint64 `json:"token"`
	Resumed bool      `json:"resumed"`
	// What it answered when it was first resumed.
	Identity string `json:"identity,omitempty"`
	Epoch    string `json:"epoch,omitempty"`
	// The job it is bound to, the attempt, and the units of it that are recorded.
	Job     uint64 `json:"job,omitempty"`
	Attempt uint64 `json:"attempt,omitempty"`
	Printed uint32 `json:"printed,omitempty"`
	// Recovering: a new claim has yet to learn how far the attempt came.
	Recovering bool `json:"recovering,omitempty"`
	// fenced, counted, whole-job or blind; and in plain words, what that promises. Empty before the device was first resumed.
	Class   string `json:"class,omitempty"`
	Promise string `json:"promise,omitempty"`
	// What it said it is.
	About string `json:"about,omitempty"`
	// The formats that it takes; none: it does not say.
	Formats []string `json:"formats,omitempty"`
	// Units of the attempt that were announced to it: those after Printed may be out. And its own id of the job.
	Announced uint32 `json:"announced,omitempty"`
	Remote    string `json:"remote,omitempty"`
	// What keeps it from printing: a keyword and a sentence.
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Its identity changed: nothing is printed before the printer is adopted.
	Stopped bool `json:"stopped,omitempty"`
}

// Printers is the list of all, by name.
type Printers struct {
	Printers []Printer `json:"printers"`
}

// PrinterSettings is the body of PUT /v1/printers/{printer}. A field that is left out takes its default.
type PrinterSettings struct {
	// One device, or Devices for a pool.
	Device  string   `json:"device,omitempty"`
	Devices []string `json:"devices,omitempty"`
	// hold (default), reprint or skip.
	InDoubt string `json:"in_doubt,omitempty"`
	// balanced (default: the device that has been idle longest), ordered (the first idle one) or standby (one only while each before
	// it is out of order).
	Pool string `json:"pool,omitempty"`
	// How long a job may wait to start; default: for ever.
	TTL string `json:"ttl,omitempty"`
	// How long a document is kept for reprint after its job ended (1h), and the job itself (24h).
	Keep      string `json:"keep,omitempty"`
	Retention string `json:"retention,omitempty"`
	// What the devices can do, where they do not say it themselves: values that commas part, by the name in JobOptions. The first is what
	// happens where a job says nothing. It is told to clients, and their wishes are kept with the jobs; what a device makes of a
	// wish is the device's.
	Offers map[string]string `json:"offers,omitempty"`
	Cause
}

// A Description is the body of POST /v1/printers/{printer}/describe. What is left out stays.
type Description struct {
	Info     *string `json:"info,omitempty"`
	Location *string `json:"location,omitempty"`
	Cause
}

// A Cause says who asks and why, for the log. Every action takes it.
type Cause struct {
	By  string `json:"by,omitempty"`
	Why string `json:"why,omitempty"`
}

// Move is the body of POST /v1/jobs/{id}/move.
type Move struct {
	Printer string `json:"printer"`
	// Away from a dead device: what it may have printed is in doubt.
	Force bool `json:"force,omitempty"`
	Cause
}

// Reprint is the body of POST /v1/jobs/{id}/reprint.
type Reprint struct {
	// The first page, from 1; 0 is 1.
	From uint32 `json:"from,omitempty"`
	// Another printer; empty: the same.
	Printer string `json:"printer,omitempty"`
	Cause
}

// Resolve is the body of POST /v1/jobs/{id}/resolve: exactly one of the first three.
type Resolve struct {
	// Units, over all copies, that came out.
	Printed *uint32 `json:"printed,omitempty"`
	// The first unit, over all copies, from 1, to print again.
	ReprintFrom *uint32 `json:"reprint_from,omitempty"`
	Done        bool    `json:"done,omitempty"`
	Cause
}

// Transfer is the body of POST /v1/leader/transfer. To 0: to whoever is most up to date.
type Transfer struct {
	To uint64 `json:"to"`
}

// A Cluster as the answering member (ID) sees it.
type Cluster struct {
	Cluster string `json:"cluster"`
	ID      uint64 `json:"id"`
	// 0: none known.
	Leader  uint64 `json:"leader"`
	Term    uint64 `json:"term"`
	Applied uint64 `json:"applied"`
	Commit  uint64 `json:"commit"`
	// The version that the cluster acts by, and that of the answering program.
	Version  uint32   `json:"version"`
	Software string   `json:"software,omitempty"`
	Members  []Member `json:"members"`
	// Seq and hash of the last log line.
	Seq   uint64 `json:"seq"`
	Chain string `json:"chain"`
	// What the answering member has to say about itself; empty: all is well.
	Alarms []string `json:"alarms,omitempty"`
	// How far back keys of finished jobs reach, where that is less than it should be.
	KeyReach string `json:"key_reach,omitempty"`
}

// A Member of the cluster.
type Member struct {
	ID        uint64 `json:"id"`
	HTTP      string `json:"http"`
	Peer      string `json:"peer"`
	Voter     bool   `json:"voter"`
	Connected bool   `json:"connected"`
	// Entries behind the leader; -1: not known here.
	Lag int64 `json:"lag"`
}

// Health is the body of /livez and /readyz.
type Health struct {
	// ok or not ready.
	Status  string    `json:"status"`
	Reasons []string  `json:"reasons,omitempty"`
	Member  uint64    `json:"member"`
	Version string    `json:"version,omitempty"`
	Time    time.Time `json:"time"`
}
