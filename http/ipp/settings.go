package ipp

import (
	"context"
	"slices"
	"strings"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue/queuepb"
)

func (h *Handler) enablePrinter(ctx context.Context, q *request, t target) (*answer, error) {
	return h.accept(ctx, q, t, true)
}

func (h *Handler) disablePrinter(ctx context.Context, q *request, t target) (*answer, error) {
	return h.accept(ctx, q, t, false)
}

func (h *Handler) accept(ctx context.Context, q *request, t target, accepting bool) (*answer, error) {
	return h.command(ctx, q, t, func(name string, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_SetAccepting{SetAccepting: &queuepb.SetAccepting{Printer: name, Accepting: accepting, Cause: c}}}
	})
}

func (h *Handler) cupsSetDefault(ctx context.Context, q *request, t target) (*answer, error) {
	return h.command(ctx, q, t, func(name string, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_SetDefault{SetDefault: &queuepb.SetDefault{Printer: name, Cause: c}}}
	})
}

// A settable is a printer attribute that people may set: words that are told to them, and the size that is meant where a
// client names none.
type settable struct {
	name   string
	syntax goipp.Tag
	most   int // bytes
	of     func(*queuepb.DescribePrinter) **string
	is     func(*queuepb.PrinterDescription) string
	valid  func(string) bool // nil: anything
}

var settables = []settable{
	{
		"printer-info", goipp.TagText, 127, func(m *queuepb.DescribePrinter) **string { return &m.Info },
		(*queuepb.PrinterDescription).GetInfo, nil,
	},
	{
		"printer-location", goipp.TagText, 127, func(m *queuepb.DescribePrinter) **string { return &m.Location },
		(*queuepb.PrinterDescription).GetLocation, nil,
	},
	{
		"printer-geo-location", goipp.TagURI, 1023, func(m *queuepb.DescribePrinter) **string { return &m.GeoLocation },
		(*queuepb.PrinterDescription).GetGeoLocation, func(s string) bool { return s == "" || strings.HasPrefix(s, "geo:") },
	},
	{
		"printer-organization", goipp.TagText, 1023, func(m *queuepb.DescribePrinter) **string { return &m.Organization },
		(*queuepb.PrinterDescription).GetOrganization, nil,
	},
	{
		"printer-organizational-unit", goipp.TagText, 1023, func(m *queuepb.DescribePrinter) **string { return &m.OrganizationalUnit },
		(*queuepb.PrinterDescription).GetOrganizationalUnit, nil,
	},
	{
		"printer-message-from-operator", goipp.TagText, 127, func(m *queuepb.DescribePrinter) **string { return &m.Message },
		(*queuepb.PrinterDescription).GetMessage, nil,
	},
	{
		"media-default", goipp.TagKeyword, 255, func(m *queuepb.DescribePrinter) **string { return &m.Media },
		(*queuepb.PrinterDescription).GetMedia, isSize,
	},
}

// isSize: a default that the printer does not have is not told.
func isSize(name string) bool {
	_, ok := sizeOf(name)
	return ok || name == ""
}

func settableNames() (all []string) {
	for _, s := range settables {
		all = append(all, s.name)
	}
	return all
}

// read takes the value to set; delete-attribute and no-value take it away.
func (s settable) read(a goipp.Attribute) (value string, ok bool) {
	if len(a.Values) != 1 {
		return "", false
	}
	switch a.Values[0].T {
	case goipp.TagDeleteAttr, goipp.TagNoValue, goipp.TagUnknown:
		return "", true
	}
	value, err := text(goipp.Attributes{a}, a.Name)
	return value, err == nil && len(value) <= s.most && (s.valid == nil || s.valid(value))
}

// setPrinterAttributes sets all that is asked, or nothing (RFC 3380 §4.1).
func (h *Handler) setPrinterAttributes(ctx context.Context, q *request, t target) (*answer, error) {
	if len(q.printer) == 0 {
		return nil, badRequest("there is no attribute to set")
	}
	m := &queuepb.DescribePrinter{}
	var not, bad goipp.Attributes
	for _, a := range q.printer {
		i := slices.IndexFunc(settables, func(s settable) bool { return s.name == a.Name })
		if i < 0 {
			not.Add(missing(a.Name, goipp.TagNotSettable))
			continue
		}
		value, ok := settables[i].read(a)
		if !ok {
			bad.Add(a)
			continue
		}
		*settables[i].of(m) = &value
	}
	switch {
	case not != nil:
		return nil, &failure{goipp.StatusErrorAttributesNotSettable, "not settable: see printer-settable-attributes-supported", not}
	case bad != nil:
		return nil, unsupported(bad...)
	}
	return h.command(ctx, q, t, func(name string, c *queuepb.Cause) *queuepb.Command {
		m.Printer, m.Cause = name, c
		return &queuepb.Command{Body: &queuepb.Command_DescribePrinter{DescribePrinter: m}}
	})
}

// getPrinterSupportedValues says what may be set: text is the administrator's to choose (RFC 3380 §4.3).
func (h *Handler) getPrinterSupportedValues(ctx context.Context, q *request, t target) (*answer, error) {
	w, err := wantedBy(q, "all")
	if err != nil {
		return nil, err
	}
	p, err := h.printer(ctx, t)
	if err != nil {
		return nil, err
	}
	l := &list{}
	for _, s := range settables {
		if s.name == "media-default" {
			l.description = append(l.description, keywords(s.name, offersOf(p).mediaNames()...))
			continue
		}
		l.description = append(l.description, missing(s.name, goipp.TagAdminDefine))
	}
	return okay(nil, goipp.Group{Tag: goipp.TagPrinterGroup, Attrs: w.of(l, "printer-description")}), nil
}

// identifyAction is what Identify-Printer can do: the printer itself cannot be reached for it, the people who look at the
// server's log can.
const identifyAction = "display"

// identifyPrinter displays also where only other actions are asked for (RFC 8011 §4.1.7: what is not supported is left out of account).
func (h *Handler) identifyPrinter(ctx context.Context, q *request, t target) (*answer, error) {
	actions, err := many[goipp.String](q.operation, "identify-actions", goipp.TagKeyword)
	if err != nil {
		return nil, err
	}
	c, err := q.cause()
	if err != nil {
		return nil, err
	}
	p, err := h.printer(ctx, t)
	if err != nil {
		return nil, err
	}
	other := goipp.Attribute{Name: "identify-actions"}
	for _, a := range actions {
		if a != identifyAction {
			other.Values.Add(goipp.TagKeyword, a)
		}
	}
	h.options.Logger.Info("somebody asks which printer this is", "printer", p.Name, "info", description(p, "printer-info"), "user", c.By, "message", c.Why)
	if len(other.Values) > 0 {
		return okay(goipp.Attributes{other}), nil
	}
	return okay(nil), nil
}

// description is what was set of a printer.
func description(p *node.PrinterStatus, name string) string {
	i := slices.IndexFunc(settables, func(s settable) bool { return s.name == name })
	return settables[i].is(p.Description)
}
