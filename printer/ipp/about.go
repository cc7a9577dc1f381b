package ipp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
	"printq/queue"
)

// An about is what a printer says of itself.
type about struct {
	group
	capabilities []byte
}

// spooling is what a printer must answer so that a whole job can be left to it.
var spooling = []goipp.Op{
	goipp.OpCreateJob, goipp.OpSendDocument, goipp.OpGetJobAttributes, goipp.OpGetJobs, goipp.OpCancelJob,
}

// Open asks the printer what it is.
func (p *Printer) Open(ctx context.Context, _ device.Opening) (device.State, error) {
	p.about = nil
	defer p.hangUp()
	a, err := p.introduced(ctx)
	if err != nil {
		return device.State{}, err
	}
	return device.State{
		Class: p.class(a), Mark: device.Mark{Closed: true}, Identity: a.text("printer-uuid"), Copies: a.copies(),
		About: clip(p.describe(a), 1023), Formats: a.formats(), Capabilities: a.capabilities,
	}, nil
}

// introduced is what the printer said of itself, now or before.
func (p *Printer) introduced(ctx context.Context) (*about, error) {
	if p.about != nil {
		return p.about, nil
	}
	m, err := p.attributes(ctx, "printer-description", "job-template")
	if err != nil {
		return nil, err
	}
	a := &about{group: group(m.Printer), capabilities: capabilities(m)}
	if len(a.values("operations-supported")) == 0 {
		return nil, fmt.Errorf("%w: it does not say which operations it supports", device.ErrUnreachable)
	}
	p.about = a
	return a, nil
}

func (p *Printer) attributes(ctx context.Context, wanted ...string) (*goipp.Message, error) {
	c, err := p.connect()
	if err != nil {
		return nil, err
	}
	m, err := c.ask(ctx, request{op: goipp.OpGetPrinterAttributes, operation: goipp.Attributes{
		user(), keywords("requested-attributes", wanted...),
	}})
	if err != nil && !errors.Is(err, device.ErrUnreachable) && ctx.Err() == nil {
		// Whatever it is, it has to be seen to there; nothing was asked for that could come out.
		err = fmt.Errorf("%w: %w", device.ErrUnreachable, err)
	}
	return m, err
}

func (p *Printer) class(a *about) queue.Class {
	if p.address.Blind || len(a.lacks()) > 0 {
		return queue.Blind
	}
	return queue.WholeJob
}

// lacks are the operations that are missing for whole jobs.
func (a *about) lacks() (missing []string) {
	for _, op := range spooling {
		if !a.can(op) {
			missing = append(missing, op.String())
		}
	}
	return missing
}

func (a *about) can(op goipp.Op) bool {
	return slices.ContainsFunc(a.values("operations-supported"), func(v struct {
		T goipp.Tag
		V goipp.Value
	},
	) bool {
		n, ok := v.V.(goipp.Integer)
		return ok && goipp.Op(n) == op
	})
}

func (p *Printer) describe(a *about) string {
	model := a.text("printer-make-and-model")
	if model == "" {
		model = "an IPP printer"
	}
	switch missing := a.lacks(); {
	case len(missing) > 0:
		return fmt.Sprintf("%s: it has no %s, so a job is sent at once and nothing is known of it afterwards", model, strings.Join(missing, ", "))
	case p.address.Blind:
		return model + ": a job is sent at once and nothing is known of it afterwards, as the URI says (class=blind)"
	}
	return model + ": it keeps a list of jobs, in which each is found again (Create-Job, Get-Jobs)"
}

// formats are the MIME types that the printer takes.
func (a *about) formats() (formats []string) {
	for _, f := range a.texts("document-format-supported") {
		if len(formats) < 100 {
			formats = append(formats, clip(f, 255))
		}
	}
	return formats
}

// takes is nil if the printer takes the format, as far as it says.
func (a *about) takes(format string) error {
	formats := a.formats()
	same := func(f string) bool { return strings.EqualFold(f, format) }
	if format == "" || len(formats) == 0 || slices.ContainsFunc(formats, same) {
		return nil
	}
	return fmt.Errorf("%w: it is %s, the printer takes %s", device.ErrFormat, format, clip(strings.Join(formats, ", "), 700))
}

// copies is how many copies of a document the printer makes by itself.
func (a *about) copies() int {
	most, _ := a.most("copies-supported")
	return max(most, 1)
}

// enough is nil if the printer makes that many copies.
func (a *about) enough(copies int) error {
	if most := a.copies(); copies > most {
		return fmt.Errorf("%w in %d copies: the printer makes at most %d of a job", device.ErrFormat, copies, most)
	}
	return nil
}

// Limits of the attributes that are passed on, in bytes.
const (
	maxCapabilities = 64 << 10
	maxCapability   = 8 << 10
)

// described are passed on beside what is supported, ready and the default.
var described = []string{
	"printer-make-and-model", "printer-info", "printer-location", "printer-uuid", "printer-device-id", "color-supported",
	"pages-per-minute", "pages-per-minute-color", "printer-kind", "printer-impressions-completed", "printer-pages-completed",
}

// capabilities is what else the printer says that a client may want to know, encoded; nil where it cannot be.
func capabilities(m *goipp.Message) []byte {
	kept, left := goipp.Attributes{}, maxCapabilities-64
	for _, a := range m.Printer {
		if !passedOn(a.Name) {
			continue
		}
		one := goipp.NewResponse(goipp.DefaultVersion, goipp.StatusOk, 1)
		one.Printer = goipp.Attributes{a}
		encoded, err := one.EncodeBytes()
		if err != nil || len(encoded) > min(left, maxCapability) {
			continue // it is left out
		}
		left -= len(encoded)
		kept = append(kept, a)
	}
	all := goipp.NewResponse(goipp.DefaultVersion, goipp.StatusOk, 1)
	all.Operation = goipp.Attributes{
		goipp.MakeAttr("attributes-charset", goipp.TagCharset, goipp.String("utf-8")),
		goipp.MakeAttr("attributes-natural-language", goipp.TagLanguage, goipp.String("en")),
	}
	all.Printer = kept
	encoded, err := all.EncodeBytes()
	if err != nil || len(encoded) > maxCapabilities {
		return nil
	}
	return encoded
}

func passedOn(name string) bool {
	switch name {
	case "printer-uri-supported", "uri-security-supported", "uri-authentication-supported", "media-col-database":
		return false
	}
	for _, end := range []string{"-supported", "-default", "-ready"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return slices.Contains(described, name)
}
