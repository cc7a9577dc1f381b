package emulator

import (
	"strings"
	"time"

	"github.com/OpenPrinting/goipp"
)

// An ippRequest is a request, and the document that followed it.
type ippRequest struct {
	goipp.Message
	op   goipp.Op
	boot int
	// The document: its size, and its pages.
	octets int
	pages  []Page
	broken error // why it did not come whole
}

func (q *ippRequest) find(attrs goipp.Attributes, name string) goipp.Values {
	for _, a := range attrs {
		if a.Name == name {
			return a.Values
		}
	}
	return nil
}

// text is an operation attribute's first value; "": it is not there.
func (q *ippRequest) text(name string) string {
	v := q.find(q.Operation, name)
	if len(v) == 0 {
		return ""
	}
	if t, ok := v[0].V.(goipp.TextWithLang); ok {
		return t.Text
	}
	return v[0].V.String()
}

func (q *ippRequest) number(attrs goipp.Attributes, name string, otherwise int) int {
	if v := q.find(attrs, name); len(v) > 0 {
		if n, ok := v[0].V.(goipp.Integer); ok {
			return int(n)
		}
	}
	return otherwise
}

func (q *ippRequest) truth(name string) bool {
	v := q.find(q.Operation, name)
	if len(v) == 0 {
		return false
	}
	b, ok := v[0].V.(goipp.Boolean)
	return ok && bool(b)
}

// answer is a response's begin.
func (q *ippRequest) answer(status goipp.Status, groups ...goipp.Group) *goipp.Message {
	operation := goipp.Group{Tag: goipp.TagOperationGroup}
	operation.Add(goipp.MakeAttr("attributes-charset", goipp.TagCharset, goipp.String("utf-8")))
	operation.Add(goipp.MakeAttr("attributes-natural-language", goipp.TagLanguage, goipp.String("en")))
	all := append(goipp.Groups{operation}, groups...)
	return goipp.NewMessageWithGroups(min(q.Version, goipp.MakeVersion(2, 0)), goipp.Code(status), q.RequestID, all)
}

// valid checks what is the same for all requests, strictly, so that a client's faults are seen (RFC 8011 §4.1).
func (q *ippRequest) valid() goipp.Status {
	o := q.Operation
	switch {
	case q.Version.Major() != 1 && q.Version.Major() != 2:
		return goipp.StatusErrorVersionNotSupported
	case q.RequestID == 0:
		return goipp.StatusErrorBadRequest
	case len(o) < 3 || o[0].Name != "attributes-charset" || o[1].Name != "attributes-natural-language":
		return goipp.StatusErrorBadRequest
	case strings.ToLower(o[0].Values[0].V.String()) != "utf-8":
		return goipp.StatusErrorCharset
	case q.text("printer-uri") == "" && q.text("job-uri") == "":
		return goipp.StatusErrorBadRequest
	}
	return goipp.StatusOk
}

// handle carries a request out and answers it; false: the connection is cut.
func (p *IPP) handle(q *ippRequest) (*goipp.Message, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen = append(p.seen, q.op); p.boot != q.boot {
		return nil, false
	}
	if _, ok := p.take(q.op, losing); ok {
		return nil, false
	}
	if a, ok := p.take(q.op, refusing); ok {
		return q.answer(a.status), true
	}
	answer := p.operate(q)
	if a, ok := p.take(q.op, telling); ok {
		p.run([]func(){a.call})
	}
	for p.hung && p.boot == q.boot {
		p.cond.Wait()
	}
	_, cut := p.take(q.op, cutting)
	return answer, !cut && p.boot == q.boot
}

// operate carries an operation out. mu is held.
func (p *IPP) operate(q *ippRequest) *goipp.Message {
	if status := q.valid(); status != goipp.StatusOk {
		return q.answer(status)
	}
	p.expire()
	creating := q.op == goipp.OpCreateJob || q.op == goipp.OpSendDocument
	switch {
	case p.options.NoCreateJob && creating:
		return q.answer(goipp.StatusErrorOperationNotSupported)
	case p.busy && (creating || q.op == goipp.OpPrintJob || q.op == goipp.OpValidateJob):
		return q.answer(goipp.StatusErrorBusy)
	}
	switch q.op {
	case goipp.OpGetPrinterAttributes:
		return p.getPrinter(q)
	case goipp.OpValidateJob:
		return p.validate(q)
	case goipp.OpPrintJob:
		return p.printDocument(q)
	case goipp.OpCreateJob:
		return p.create(q)
	case goipp.OpSendDocument:
		return p.send(q)
	case goipp.OpGetJobs:
		return p.getJobs(q)
	case goipp.OpGetJobAttributes:
		return p.getJob(q)
	case goipp.OpCancelJob:
		return p.cancel(q)
	}
	return q.answer(goipp.StatusErrorOperationNotSupported)
}

// upTime is in seconds, from 1 (RFC 8011 §5.4.29).
func (p *IPP) upTime(at time.Time) int { return int(at.Sub(p.started)/time.Second) + 1 }
