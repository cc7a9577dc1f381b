package http

import (
	"bytes"
	nethttp "net/http"
	"slices"
	"strings"
	"time"

	"printq/http/api"
	"printq/printer/pages"
	"printq/queue"
	"printq/queue/queuepb"
)

// The parameters of a submit, in the query or, in a form, as fields.
var submitParameters = append([]string{"name", "user", "copies", "priority", "hold", "ttl", "wait", "format"}, api.JobOptions...)

// A ticket is what a submit says about its document.
type ticket struct {
	printer, key, name, user string
	// Empty: to be sensed.
	format           string
	copies, priority uint32
	hold             bool
	ttl              time.Duration
	// By name, in order.
	options []*queuepb.Option
	// How long the answer may wait for the job to end.
	wait time.Duration
}

func newTicket(r *nethttp.Request) (*ticket, error) {
	printer, _ := printerIn(r.URL.Path)
	t := &ticket{printer: printer, key: r.Header.Get(api.HeaderKey), copies: 1, priority: queue.DefaultPriority}
	if err := checkText("the printer's name", t.printer); err != nil {
		return nil, err
	}
	if err := checkKey(t.key); err != nil {
		return nil, err
	}
	q := parseQuery(r, submitParameters...)
	for name, values := range q.values {
		if q.err != nil {
			break
		}
		q.err = t.set(name, values[0])
	}
	return t, q.err
}

// printerIn is the printer in the path of a request, and what is asked of it.
func printerIn(path string) (name, action string) {
	rest, ok := strings.CutPrefix(path, "/v1/printers/")
	if !ok {
		return "", ""
	}
	name, action, _ = strings.Cut(rest, "/")
	return name, action
}

func checkKey(key string) error {
	if len(key) > queue.MaxKey {
		return invalid("the %s has %d bytes: it may have %d", api.HeaderKey, len(key), queue.MaxKey)
	}
	return checkText("the "+api.HeaderKey, key)
}

// set takes one parameter.
func (t *ticket) set(name, value string) (err error) {
	var n uint64
	switch name {
	case "name":
		t.name, err = value, checkText(name, value)
	case "user":
		t.user, err = value, checkText(name, value)
	case "format":
		if t.format = formatOf(value); t.format == "" && pages.Canonical(value) != pages.OctetStream {
			err = invalid("format is %q: it must be a media type such as application/pdf", value)
		}
	case "copies":
		n, err = parseNumber(name, value, 1, queue.MaxCopies)
		t.copies = uint32(n)
	case "priority":
		n, err = parseNumber(name, value, 1, 100)
		t.priority = uint32(n)
	case "hold":
		t.hold, err = parseFlag(name, value, true)
	case "ttl":
		t.ttl, err = parseDuration(name, value, 10*365*24*time.Hour)
	case "wait":
		t.wait, err = parseDuration(name, value, maxWait)
	default:
		if !slices.Contains(api.JobOptions, name) {
			return invalid("%q is not a field here: there are file, %s", name, strings.Join(submitParameters, ", "))
		}
		err = t.option(name, value)
	}
	return err
}

// option takes a wish; the last one of a name counts.
func (t *ticket) option(name, value string) error {
	if value == "" || len(value) > 255 {
		return invalid("%s has %d bytes: it may have 1 to 255", name, len(value))
	}
	i, there := slices.BinarySearchFunc(t.options, name, func(o *queuepb.Option, name string) int { return strings.Compare(o.Name, name) })
	if !there {
		t.options = slices.Insert(t.options, i, &queuepb.Option{Name: name})
	}
	t.options[i].Value = value
	return checkText(name, value)
}

// formatOf is the format that a media type names; empty where it says nothing about the document, or is none.
func formatOf(mediaType string) string {
	format := pages.Canonical(mediaType)
	switch {
	case format == pages.OctetStream, format == "application/x-www-form-urlencoded", len(format) > 255, !strings.Contains(format, "/"):
		return ""
	}
	for _, c := range []byte(format) {
		if c <= ' ' || c >= 0x7f {
			return ""
		}
	}
	return format
}

// command makes the submit of a document that was received for t.
func (t *ticket) command(doc *received) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
		Printer: t.printer, Key: t.key, Name: t.name, User: t.user,
		Upload: doc.Upload, Chunks: doc.Chunks, Bytes: uint64(doc.Bytes), Sha256: bytes.Clone(doc.SHA256[:]),
		Format: doc.format, Pages: doc.pages, Units: pages.Units(doc.format, queue.Wish(t.options, "sides"), doc.units),
		Copies: t.copies, Priority: t.priority, Hold: t.hold, Ttl: int64(t.ttl),
		Options: t.options,
	}}}
}
