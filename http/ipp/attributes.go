package ipp

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/OpenPrinting/goipp"
)

// Attributes of each syntax, for tables that read like the standard's.

func enums(name string, values ...int) goipp.Attribute { return numbers(name, goipp.TagEnum, values) }

func integers(name string, values ...int) goipp.Attribute {
	return numbers(name, goipp.TagInteger, values)
}

func numbers(name string, tag goipp.Tag, values []int) goipp.Attribute {
	a := goipp.Attribute{Name: name}
	for _, v := range values {
		a.Values.Add(tag, goipp.Integer(min(v, 1<<31-1)))
	}
	return a
}

func boolean(name string, value bool) goipp.Attribute {
	return goipp.MakeAttr(name, goipp.TagBoolean, goipp.Boolean(value))
}

func between(name string, low, high int) goipp.Attribute {
	return goipp.MakeAttr(name, goipp.TagRange, goipp.Range{Lower: low, Upper: high})
}

func strs(name string, tag goipp.Tag, values []string) goipp.Attribute {
	a := goipp.Attribute{Name: name}
	for _, v := range values {
		a.Values.Add(tag, goipp.String(clip(v, maxValue(tag))))
	}
	return a
}

func keywords(name string, values ...string) goipp.Attribute {
	return strs(name, goipp.TagKeyword, values)
}

func texts(name string, values ...string) goipp.Attribute { return strs(name, goipp.TagText, values) }

func names(name string, values ...string) goipp.Attribute { return strs(name, goipp.TagName, values) }

func uris(name string, values ...string) goipp.Attribute { return strs(name, goipp.TagURI, values) }

func types(name string, values ...string) goipp.Attribute {
	return strs(name, goipp.TagMimeType, values)
}

func octets(name string, values ...string) goipp.Attribute {
	a := goipp.Attribute{Name: name}
	for _, v := range values {
		a.Values.Add(goipp.TagString, goipp.Binary(v))
	}
	return a
}

func charsets(name string, values ...string) goipp.Attribute {
	return strs(name, goipp.TagCharset, values)
}

func languages(name string, values ...string) goipp.Attribute {
	return strs(name, goipp.TagLanguage, values)
}

func dpi(name string, values ...int) goipp.Attribute {
	a := goipp.Attribute{Name: name}
	for _, v := range values {
		a.Values.Add(goipp.TagResolution, goipp.Resolution{Xres: v, Yres: v, Units: goipp.UnitsDpi})
	}
	return a
}

func collections(name string, values ...goipp.Collection) goipp.Attribute {
	a := goipp.Attribute{Name: name}
	for _, v := range values {
		a.Values.Add(goipp.TagBeginCollection, v)
	}
	return a
}

// missing is an attribute that has no value (goipp.TagNoValue), or none that is known (goipp.TagUnknown).
func missing(name string, tag goipp.Tag) goipp.Attribute {
	return goipp.MakeAttr(name, tag, goipp.Void{})
}

func dateTime(name string, t time.Time) goipp.Attribute {
	return goipp.MakeAttr(name, goipp.TagDateTime, goipp.Time{Time: t.UTC()})
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

// keyword is a reason as a keyword (RFC 8011 §5.1.4); empty where it cannot be one.
func keyword(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, clip(s, 255))
	return strings.TrimLeft(s, "-_.0123456789")
}
