package ipp

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/OpenPrinting/goipp"

	"printq/queue/queuepb"
)

// A wish is a job template attribute that the queue does nothing about: it is kept with the job, as text, and handed to its
// device (queuepb.Option). These have several values, or may.
var wishes = map[string]goipp.Tag{
	"finishings": goipp.TagEnum, "job-sheets": goipp.TagKeyword, "media": goipp.TagKeyword, "media-source": goipp.TagKeyword,
	"media-type": goipp.TagKeyword, "number-up": goipp.TagInteger, "orientation-requested": goipp.TagEnum, "output-bin": goipp.TagKeyword,
	"page-ranges": goipp.TagRange, "print-color-mode": goipp.TagKeyword, "print-content-optimize": goipp.TagKeyword,
	"print-quality": goipp.TagEnum, "print-rendering-intent": goipp.TagKeyword, "print-scaling": goipp.TagKeyword,
	"printer-resolution": goipp.TagResolution, "sides": goipp.TagKeyword,
}

// several are the wishes that may have more than one value. CUPS's job-sheets has two: before and after.
var several = []string{"finishings", "job-sheets", "page-ranges"}

// CheckOffer says what is wrong with what somebody says a printer can do: values that commas part, of an attribute's syntax.
func CheckOffer(name, values string) error {
	if _, ok := wishes[name]; !ok || name == "page-ranges" {
		return fmt.Errorf("%.64q cannot be offered: want one of %s", name, strings.Join(offerable(), ", "))
	}
	a, ok := wishAttribute(name, values)
	if !ok || len(a.Values) == 0 {
		return fmt.Errorf("%s: %.255q cannot be read as values that commas part", name, values)
	}
	for _, v := range a.Values {
		if _, ok := sizeOf(v.V.String()); name == "media" && !ok {
			return fmt.Errorf("media: %q is no name of a size, such as iso_a4_210x297mm (PWG 5101.1)", v.V)
		}
	}
	return nil
}

func offerable() (names []string) {
	for name := range wishes {
		if name != "page-ranges" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// wishAttribute reads text as the queue keeps it; ok is false where one of its values cannot be read.
func wishAttribute(name, text string) (a goipp.Attribute, ok bool) {
	a.Name = name
	tag, known := wishes[name]
	for v := range strings.SplitSeq(text, ",") {
		value := wishValue(tag, strings.TrimSpace(v))
		if value == nil {
			return a, false
		}
		a.Values.Add(tag, value)
	}
	return a, known
}

func wishValue(tag goipp.Tag, v string) goipp.Value {
	switch tag {
	case goipp.TagEnum, goipp.TagInteger:
		if n, err := strconv.ParseInt(v, 10, 32); err == nil {
			return goipp.Integer(n)
		}
	case goipp.TagRange:
		low, high, _ := strings.Cut(v, "-")
		from, err := strconv.ParseUint(low, 10, 31)
		to, err2 := strconv.ParseUint(cmp.Or(high, low), 10, 31)
		if err == nil && err2 == nil && 1 <= from && from <= to {
			return goipp.Range{Lower: int(from), Upper: int(to)}
		}
	case goipp.TagResolution:
		across, along, two := strings.Cut(strings.TrimSuffix(v, "dpi"), "x")
		if !two {
			along = across
		}
		x, err := strconv.ParseUint(across, 10, 16)
		y, err2 := strconv.ParseUint(along, 10, 16)
		if err == nil && err2 == nil && strings.HasSuffix(v, "dpi") && x > 0 && y > 0 {
			return goipp.Resolution{Xres: int(x), Yres: int(y), Units: goipp.UnitsDpi}
		}
	default:
		if v != "" && len(v) <= 255 && v == printable(v) {
			return goipp.String(v)
		}
	}
	return nil
}

// wishText is how the queue keeps a value.
func wishText(v goipp.Value) string {
	switch v := v.(type) {
	case goipp.Range:
		return fmt.Sprintf("%d-%d", v.Lower, v.Upper)
	case goipp.Resolution:
		if v.Xres == v.Yres {
			return fmt.Sprintf("%ddpi", v.Xres)
		}
		return fmt.Sprintf("%dx%ddpi", v.Xres, v.Yres)
	case goipp.TextWithLang:
		return v.Text
	}
	return v.String()
}

// wishesIn are a ticket's, by name and in order: what it says of media in one way, and each wish once.
func wishesIn(job goipp.Attributes, o *offers) ([]*queuepb.Option, error) {
	found := map[string]string{}
	for _, a := range job {
		if a.Name == "media-col" {
			continue
		}
		tag, ok := wishes[a.Name]
		if !ok || a.Name == "page-ranges" {
			continue
		}
		if len(a.Values) > 1 && !slices.Contains(several, a.Name) {
			return nil, badRequest("%s must have one value", a.Name)
		}
		var texts []string
		for _, v := range a.Values {
			if text := wishText(v.V); wishValue(tag, text) != nil && !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
		if text := strings.Join(texts, ","); text != "" {
			found[a.Name] = clip(text, 255)
		}
	}
	if a := find(job, "media-col"); a != nil {
		if c, ok := a.Values[0].V.(goipp.Collection); ok {
			o.mediaWishes(goipp.Attributes(c), found)
		}
	}
	return optionsOf(found), nil
}

func optionsOf(values map[string]string) (options []*queuepb.Option) {
	for name, value := range values {
		options = append(options, &queuepb.Option{Name: name, Value: value})
	}
	slices.SortFunc(options, func(a, b *queuepb.Option) int { return strings.Compare(a.Name, b.Name) })
	return options
}

// wished are a job's wishes as attributes. What it says of media is told as media-col, too.
func wished(options []*queuepb.Option) (attrs []goipp.Attribute) {
	var media goipp.Collection
	col := false
	for _, o := range options {
		a, ok := wishAttribute(o.Name, o.Value)
		if !ok {
			continue
		}
		switch o.Name {
		case "media":
			if s, ok := sizeOf(o.Value); ok {
				media = append(media, keywords("media-size-name", s.name), collections("media-size", s.dimensions()))
			}
		case "media-source", "media-type":
			media, col = append(media, a), true
			continue
		}
		attrs = append(attrs, a)
	}
	if col {
		attrs = append(attrs, collections("media-col", media))
	}
	return attrs
}
