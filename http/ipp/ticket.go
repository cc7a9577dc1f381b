package ipp

import (
	"bytes"
	"slices"

	"github.com/OpenPrinting/goipp"

	"printq/printer/pages"
	"printq/queue"
	"printq/queue/queuepb"
)

// A ticket is what a request says about the job that it makes.
type ticket struct {
	printer, name, user string
	copies, priority    uint32
	hold, fidelity      bool
	ranges              pageRanges
	// By name, in order.
	options []*queuepb.Option
	// What of the job's attributes cannot be done.
	unsupported goipp.Attributes
}

// ticket reads the job's attributes. With ipp-attribute-fidelity, what cannot be done refuses the job.
func (q *request) ticket(printer string, o *offers) (*ticket, error) {
	t := &ticket{printer: printer, copies: 1, priority: queue.DefaultPriority, unsupported: o.unsupportedIn(q.job)}
	fidelity, _, err := one[goipp.Boolean](q.operation, "ipp-attribute-fidelity", goipp.TagBoolean)
	if err != nil {
		return nil, err
	}
	t.fidelity = bool(fidelity)
	if t.fidelity && len(t.unsupported) > 0 {
		return nil, unsupported(t.unsupported...)
	}
	if t.user, err = q.user(); err != nil {
		return nil, err
	}
	if t.name, err = q.jobName(); err != nil {
		return nil, err
	}
	return t, t.orders(q.job, o)
}

// orders takes what the queue itself does for a job, and what is for its device.
func (t *ticket) orders(job goipp.Attributes, o *offers) error {
	wanted := slices.DeleteFunc(slices.Clone(job), func(a goipp.Attribute) bool { return find(t.unsupported, a.Name) != nil })
	copies, given, err := one[goipp.Integer](wanted, "copies", goipp.TagInteger)
	if err != nil {
		return err
	}
	if given {
		t.copies = uint32(copies)
	}
	priority, given, err := one[goipp.Integer](wanted, "job-priority", goipp.TagInteger)
	if err != nil {
		return err
	}
	if given {
		t.priority = uint32(priority)
	}
	if t.ranges, err = pageRangesOf(wanted); err != nil {
		return err
	}
	if t.options, err = wishesIn(wanted, o); err != nil {
		return err
	}
	hold, err := text(wanted, "job-hold-until")
	t.hold = hold == "indefinite"
	return err
}

func (q *request) jobName() (string, error) {
	for _, from := range []string{"job-name", "document-name"} {
		if name, err := text(q.operation, from); name != "" || err != nil {
			return name, err
		}
	}
	return "Untitled", nil
}

// checkFormat refuses a document-format that the printer does not take.
func (o *offers) checkFormat(q *request) error {
	_, err := q.format(o)
	return err
}

// format is the document's; empty: to be sensed.
func (q *request) format(o *offers) (string, error) {
	given, _, err := one[goipp.String](q.operation, "document-format", goipp.TagMimeType)
	if err != nil {
		return "", err
	}
	format := pages.Canonical(string(given))
	switch {
	case format == "" || format == pages.OctetStream:
		return "", nil
	case slices.Contains(o.formats, format):
		return format, nil
	}
	a := *find(q.operation, "document-format")
	return "", &failure{
		goipp.StatusErrorDocumentFormatNotSupported, "document-format is not supported: see document-format-supported", goipp.Attributes{a},
	}
}

// compression is how the document is packed.
func (q *request) compression() (string, error) {
	given, ok, err := one[goipp.String](q.operation, "compression", goipp.TagKeyword)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "none", nil
	case slices.Contains(compressions, string(given)):
		return string(given), nil
	}
	return "", &failure{
		goipp.StatusErrorCompressionNotSupported, "compression is not supported: use none, gzip or deflate",
		goipp.Attributes{*find(q.operation, "compression")},
	}
}

// submit makes the command for a document that was received.
func (t *ticket) submit(doc *received) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
		Printer: t.printer, Name: t.name, User: t.user,
		Upload: doc.Upload, Chunks: doc.Chunks, Bytes: uint64(doc.Bytes), Sha256: bytes.Clone(doc.SHA256[:]),
		Format: doc.format, Pages: doc.pages, Units: pages.Units(doc.format, queue.Wish(t.options, "sides"), doc.units),
		Copies: t.copies, Priority: t.priority, Hold: t.hold, Options: doc.wishes(t.options),
	}}}
}
