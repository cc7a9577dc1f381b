package ipp

import (
	"bufio"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/OpenPrinting/goipp"
)

// A request is one that was read, up to its document.
type request struct {
	version goipp.Version
	op      goipp.Op
	id      uint32
	// The groups' attributes; of a group that came twice, the first's.
	operation, job, printer, document goipp.Attributes
	// One for each that is asked for.
	subscriptions []goipp.Attributes
	// What follows: the document, where the operation has one.
	body *bufio.Reader
	// Called with what is to happen once the client is known to have read the answer; nil: nobody can tell.
	whenSeen func(func())
	// What is remembered from one request of a connection to the next: the documentKey. nil: nothing is.
	connection *sync.Map
	// How the client addressed this server.
	base base
}

// readRequest reads a request and checks what is the same for all of them, in the order of RFC 8011 §4.1. With an error, the
// request has as much of its header as came.
func readRequest(body io.Reader) (*request, error) {
	q := &request{version: goipp.MakeVersion(1, 1), body: bufio.NewReaderSize(body, 4096)}
	raw, err := scan(q.body)
	if len(raw) >= headerLen {
		q.version = goipp.Version(binary.BigEndian.Uint16(raw))
		q.op = goipp.Op(binary.BigEndian.Uint16(raw[2:]))
		q.id = binary.BigEndian.Uint32(raw[4:])
	}
	if err != nil {
		return q, err
	}
	if m := q.version.Major(); m != 1 && m != 2 {
		return q, fail(goipp.StatusErrorVersionNotSupported, "version %s: use 1.1 or 2.0", q.version)
	}
	if q.id == 0 || q.id > 1<<31-1 {
		return q, badRequest("request-id is %d: it must be from 1 to 2^31-1", q.id)
	}
	var m goipp.Message
	if err := m.DecodeBytes(raw); err != nil {
		return q, badRequest("the request cannot be decoded: %v", err)
	}
	if err := q.groups(m.Groups); err != nil {
		return q, err
	}
	return q, q.language()
}

// groups takes the groups: the operation's first and once, the others in the order of their tags (RFC 8011 §4.1.3).
func (q *request) groups(groups goipp.Groups) error {
	if len(groups) == 0 || groups[0].Tag != goipp.TagOperationGroup {
		return badRequest("the first group must be the operation's attributes")
	}
	for i, g := range groups {
		switch {
		case i > 0 && (g.Tag < groups[i-1].Tag || g.Tag == goipp.TagOperationGroup):
			return badRequest("group %s stands after group %s", g.Tag, groups[i-1].Tag)
		case g.Tag == goipp.TagOperationGroup:
			q.operation = g.Attrs
		case g.Tag == goipp.TagJobGroup && q.job == nil:
			q.job = g.Attrs
		case g.Tag == goipp.TagPrinterGroup && q.printer == nil:
			q.printer = g.Attrs
		case g.Tag == goipp.TagDocumentGroup && q.document == nil:
			q.document = g.Attrs
		case g.Tag == goipp.TagSubscriptionGroup:
			q.subscriptions = append(q.subscriptions, g.Attrs)
		}
		seen := make(map[string]bool, len(g.Attrs))
		for _, a := range g.Attrs {
			if seen[a.Name] {
				return badRequest("attribute %.64q is given twice in one group", a.Name)
			}
			seen[a.Name] = true
		}
	}
	return nil
}

// language checks the two attributes that every request begins with (RFC 8011 §4.1.4).
func (q *request) language() error {
	a := q.operation
	if len(a) < 2 || a[0].Name != "attributes-charset" || a[1].Name != "attributes-natural-language" {
		return badRequest("attributes-charset and attributes-natural-language must be the first two attributes")
	}
	charset, _, err := one[goipp.String](a, a[0].Name, goipp.TagCharset)
	if err != nil {
		return err
	}
	if name := strings.ToLower(string(charset)); name != "utf-8" && name != "us-ascii" {
		return fail(goipp.StatusErrorCharset, "charset %.64q: use utf-8", name)
	}
	_, _, err = one[goipp.String](a, a[1].Name, goipp.TagLanguage)
	return err
}

func find(attrs goipp.Attributes, name string) *goipp.Attribute {
	if i := slices.IndexFunc(attrs, func(a goipp.Attribute) bool { return a.Name == name }); i >= 0 {
		return &attrs[i]
	}
	return nil
}

// one is the value of an attribute that has one, of one of these syntaxes; given is false where the attribute is not there.
func one[T goipp.Value](attrs goipp.Attributes, name string, syntaxes ...goipp.Tag) (value T, given bool, err error) {
	a := find(attrs, name)
	if a == nil {
		return value, false, nil
	}
	if len(a.Values) != 1 || !slices.Contains(syntaxes, a.Values[0].T) {
		return value, true, badRequest("%s must have one value, of syntax %s", name, syntaxes[0])
	}
	value, ok := a.Values[0].V.(T)
	if !ok {
		return value, true, badRequest("%s must have one value, of syntax %s", name, syntaxes[0])
	}
	return value, true, nil
}

// many are the values of an attribute that may have several.
func many[T goipp.Value](attrs goipp.Attributes, name string, syntaxes ...goipp.Tag) (values []T, err error) {
	a := find(attrs, name)
	if a == nil {
		return nil, nil
	}
	for _, v := range a.Values {
		value, ok := v.V.(T)
		if !ok || !slices.Contains(syntaxes, v.T) {
			return nil, badRequest("the values of %s must be of syntax %s", name, syntaxes[0])
		}
		values = append(values, value)
	}
	return values, nil
}

// text is a name or text, with or without a language; control characters, which could not be shown, become spaces.
func text(attrs goipp.Attributes, name string) (string, error) {
	a := find(attrs, name)
	if a == nil {
		return "", nil
	}
	if len(a.Values) == 1 {
		switch v := a.Values[0].V.(type) {
		case goipp.TextWithLang:
			return printable(v.Text), nil
		case goipp.String:
			return printable(string(v)), nil
		}
	}
	return "", badRequest("%s must have one value, a name or text", name)
}

// printable is a text as it may be stored and shown.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
}

func (q *request) user() (string, error) {
	user, err := text(q.operation, "requesting-user-name")
	if user == "" {
		user = "anonymous"
	}
	return user, err
}
