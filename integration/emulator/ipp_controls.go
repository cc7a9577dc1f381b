package emulator

import (
	"slices"
	"time"

	"github.com/OpenPrinting/goipp"
)

// PowerOff pulls the plug: the sheet on its way is torn, all jobs and their history are forgotten, the connections are cut,
// and nobody can connect before PowerOn.
func (p *IPP) PowerOff() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.powerOff() {
		return
	}
	p.jobList = nil
	if !p.options.IDsGoOn {
		p.lastID = 0
	}
	if p.gate != nil {
		p.gate.close()
	}
	for conn := range p.conns {
		cut(conn)
	}
}

// PowerOn starts the printer; its up-time begins again. With an error, its port is lost.
func (p *IPP) PowerOn() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.powerOn() {
		return nil
	}
	p.started = time.Now()
	if p.gate == nil {
		return nil
	}
	return p.gate.open()
}

// Reboot is PowerOff and PowerOn.
func (p *IPP) Reboot() error {
	p.PowerOff()
	return p.PowerOn()
}

// Exchange puts another printer in this one's place: printer-uuid is new.
func (p *IPP) Exchange() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uuid = newUUID()
}

// UUID is printer-uuid.
func (p *IPP) UUID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.uuid
}

// PageCount is printer-impressions-completed.
func (p *IPP) PageCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Refuse lets nobody connect, or lets them again. Connections that are there stay. With an error, the port is lost.
func (p *IPP) Refuse(refuse bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gate == nil:
		return nil
	case refuse:
		p.gate.close()
		return nil
	case p.off:
		return nil
	}
	return p.gate.open()
}

// Hang stops the printer's program, or lets it go on: requests wait for their answer, and no page is fed.
func (p *IPP) Hang(hang bool) { p.set(&p.hung, hang) }

// Busy answers all that would bring work with server-error-busy, or no more.
func (p *IPP) Busy(busy bool) { p.set(&p.busy, busy) }

// Bar refuses documents of a format that the printer says it supports, or takes them again.
func (p *IPP) Bar(format string, bar bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.barred[format] = bar
}

// A plan is what happens once to a request for an operation.
type plan struct {
	op   goipp.Op
	kind planKind
	// refusing, and telling
	status goipp.Status
	call   func()
}

type planKind int

const (
	losing   planKind = iota // the request: nothing is done and nothing answered
	refusing                 // nothing is done, and the answer is a status
	telling                  // all is done, and a function called before the answer
	cutting                  // all is done, and nothing answered
)

// LoseRequest cuts the connection of the next request for the operation before anything is done.
func (p *IPP) LoseRequest(op goipp.Op) { p.plan(plan{op: op, kind: losing}) }

// RefuseNext answers the next request for the operation with the status, and does nothing.
func (p *IPP) RefuseNext(op goipp.Op, status goipp.Status) {
	p.plan(plan{op: op, kind: refusing, status: status})
}

// BeforeReply calls f when the next request for the operation has been carried out, and before it is answered. f may use
// every control but Close. If the power goes in f, the answer is lost.
func (p *IPP) BeforeReply(op goipp.Op, f func()) { p.plan(plan{op: op, kind: telling, call: f}) }

// LoseReply carries the next request for the operation out, and cuts its connection instead of answering.
func (p *IPP) LoseReply(op goipp.Op) { p.plan(plan{op: op, kind: cutting}) }

func (p *IPP) plan(a plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plans = append(p.plans, a)
}

// take takes the next plan of a kind out, if there is one. mu is held.
func (p *IPP) take(op goipp.Op, kind planKind) (plan, bool) {
	i := slices.IndexFunc(p.plans, func(a plan) bool { return a.op == op && a.kind == kind })
	if i < 0 {
		return plan{}, false
	}
	a := p.plans[i]
	p.plans = slices.Delete(p.plans, i, i+1)
	return a, true
}

// Requests are the operations that were asked for since the printer was made, lost ones included.
func (p *IPP) Requests() []goipp.Op {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}
