package ipp

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
)

// who is what requests say that they come from.
const who = "printq"

// A request is an operation with its attributes, beside those that every one has.
type request struct {
	op        goipp.Op
	operation goipp.Attributes
	job       goipp.Attributes
	once      bool // it changes something, and is never sent again by itself
}

func (q request) encode(c *client) ([]byte, error) {
	version := goipp.MakeVersion(2, 0)
	if c.old.Load() {
		version = goipp.MakeVersion(1, 1)
	}
	m := goipp.NewRequest(version, q.op, c.number.Add(1)&(1<<31-1))
	// RFC 8011 §4.1.4: these two first, and in this order; then the target.
	m.Operation = append(goipp.Attributes{
		goipp.MakeAttr("attributes-charset", goipp.TagCharset, goipp.String("utf-8")),
		goipp.MakeAttr("attributes-natural-language", goipp.TagLanguage, goipp.String("en")),
		goipp.MakeAttr("printer-uri", goipp.TagURI, goipp.String(c.address.printerURI())),
	}, q.operation...)
	m.Job = q.job
	return m.EncodeBytes()
}

func name(of, value string) goipp.Attribute {
	return goipp.MakeAttr(of, goipp.TagName, goipp.String(clip(value, 255)))
}

func user() goipp.Attribute { return name("requesting-user-name", who) }

func integer(of string, value int) goipp.Attribute {
	return goipp.MakeAttr(of, goipp.TagInteger, goipp.Integer(value))
}

func boolean(of string, value bool) goipp.Attribute {
	return goipp.MakeAttr(of, goipp.TagBoolean, goipp.Boolean(value))
}

func keywords(of string, values ...string) goipp.Attribute {
	a := goipp.Attribute{Name: of}
	for _, v := range values {
		a.Values.Add(goipp.TagKeyword, goipp.String(v))
	}
	return a
}

// clip cuts a text to so many bytes, between characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// decode reads an answer.
func decode(r io.Reader) (*goipp.Message, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("%w: read the answer: %w", device.ErrUnclear, err)
	}
	if len(raw) > maxAnswer {
		return nil, fmt.Errorf("%w: the answer has more than %d bytes", device.ErrUnclear, maxAnswer)
	}
	return parse(raw)
}

// parse decodes a message that is within the limits: what decodes it recurses.
func parse(raw []byte) (*goipp.Message, error) {
	if err := scan(raw); err != nil {
		return nil, fmt.Errorf("%w: the answer is no IPP: %w", device.ErrUnclear, err)
	}
	m := new(goipp.Message)
	if err := m.DecodeEx(bytes.NewReader(raw), goipp.DecoderOptions{EnableWorkarounds: true}); err != nil {
		return nil, fmt.Errorf("%w: the answer is no IPP: %w", device.ErrUnclear, err)
	}
	return m, nil
}

// A group is a group of attributes to be read. What is not there, or of another syntax, counts as not said.
type group goipp.Attributes

func (g group) values(name string) goipp.Values {
	for _, a := range g {
		if a.Name == name {
			return a.Values
		}
	}
	return nil
}

// number is an integer or enum; false where there is none.
func (g group) number(name string) (int, bool) {
	for _, v := range g.values(name) {
		if n, ok := v.V.(goipp.Integer); ok {
			return int(n), true
		}
	}
	return 0, false
}

// most is the upper end of an integer or a range.
func (g group) most(name string) (int, bool) {
	most, found := 0, false
	for _, v := range g.values(name) {
		switch n := v.V.(type) {
		case goipp.Integer:
			most, found = max(most, int(n)), true
		case goipp.Range:
			most, found = max(most, n.Upper), true
		}
	}
	return most, found
}

func (g group) yes(name string) (yes, said bool) {
	for _, v := range g.values(name) {
		if b, ok := v.V.(goipp.Boolean); ok {
			return bool(b), true
		}
	}
	return false, false
}

func (g group) texts(name string) (texts []string) {
	for _, v := range g.values(name) {
		switch s := v.V.(type) {
		case goipp.String:
			texts = append(texts, strings.ToValidUTF8(string(s), "�"))
		case goipp.TextWithLang:
			texts = append(texts, strings.ToValidUTF8(s.Text, "�"))
		}
	}
	return texts
}

func (g group) text(name string) string {
	if texts := g.texts(name); len(texts) > 0 {
		return texts[0]
	}
	return ""
}

// none: the printer says that the attribute has no value.
func (g group) none(name string) bool {
	v := g.values(name)
	return len(v) > 0 && v[0].T == goipp.TagNoValue
}

// reasons are the keywords but none.
func (g group) reasons(name string) (reasons []string) {
	for _, r := range g.texts(name) {
		if r != "none" && r != "" {
			reasons = append(reasons, r)
		}
	}
	return reasons
}
