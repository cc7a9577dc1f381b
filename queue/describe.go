package queue

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// taking finds the printer for a new job.
func (t *turn) taking(name string) (*printer, error) {
	p := t.printers[name]
	switch {
	case p == nil:
		return nil, fmt.Errorf("%w: %q", ErrNoPrinter, name)
	case p.rejecting:
		return nil, fmt.Errorf("%w: %s", ErrNotAccepting, name)
	}
	return p, nil
}

// setAccepting says whether a printer takes new jobs.
func (t *turn) setAccepting(m *queuepb.SetAccepting) error {
	p := t.printers[m.Printer]
	switch {
	case p == nil:
		return fmt.Errorf("%w: %q", ErrNoPrinter, m.Printer)
	case p.rejecting != m.Accepting:
		return nil
	}
	p.rejecting = !m.Accepting
	t.configured(p)
	t.named(map[bool]string{true: "printer-accepting", false: "printer-rejecting"}[m.Accepting], p, m.Cause)
	return nil
}

// setDefault says which printer is meant where none is named.
func (t *turn) setDefault(m *queuepb.SetDefault) error {
	p := t.printers[m.Printer]
	switch {
	case p == nil && m.Printer != "":
		return fmt.Errorf("%w: %q", ErrNoPrinter, m.Printer)
	case p == t.byDefault:
		return nil
	}
	for _, x := range []*printer{t.byDefault, p} {
		if x != nil {
			x.isDefault = x == p
			t.configured(x)
		}
	}
	t.byDefault = p
	t.begin("default-set", m.Printer, 0)
	t.cause(m.Cause)
	t.end()
	return nil
}

// describe changes what people are told about a printer.
func (t *turn) describe(m *queuepb.DescribePrinter) error {
	p := t.printers[m.Printer]
	if p == nil {
		return fmt.Errorf("%w: %q", ErrNoPrinter, m.Printer)
	}
	d := &queuepb.PrinterDescription{}
	if p.description != nil {
		d = proto.Clone(p.description).(*queuepb.PrinterDescription)
	}
	fields := descriptions(d, m)
	for _, f := range fields {
		if f.value != nil && len(*f.value) > MaxText {
			return fmt.Errorf("%w: %s of %d bytes: at most %d", ErrInvalid, f.name, len(*f.value), MaxText)
		}
	}
	for _, f := range fields {
		if f.value != nil {
			*f.of = *f.value
		}
	}
	if proto.Equal(d, p.description) || p.description == nil && proto.Size(d) == 0 {
		return nil
	}
	p.description = d
	t.configured(p)
	t.begin("printer-described", p.name, 0)
	for _, f := range fields {
		if f.value != nil {
			t.field(f.name)
			t.scratch = appendString(t.scratch, *f.value)
		}
	}
	t.cause(m.Cause)
	t.end()
	return nil
}

type described struct {
	name  string
	of    *string // as it is
	value *string // as it is to be; nil: as it is
}

func descriptions(d *queuepb.PrinterDescription, m *queuepb.DescribePrinter) []described {
	return []described{
		{"info", &d.Info, m.Info},
		{"location", &d.Location, m.Location},
		{"geo_location", &d.GeoLocation, m.GeoLocation},
		{"organization", &d.Organization, m.Organization},
		{"organizational_unit", &d.OrganizationalUnit, m.OrganizationalUnit},
		{"media", &d.Media, m.Media},
		{"message", &d.Message, m.Message},
	}
}
