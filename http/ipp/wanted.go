package ipp

import "github.com/OpenPrinting/goipp"

// A list is an object's attributes, in the groups by which requested-attributes can name them (RFC 8011 §4.2.5.1).
type list struct {
	description, template []goipp.Attribute
	// Only when they are asked for by name.
	named []goipp.Attribute
}

// wanted is what requested-attributes asks for.
type wanted map[string]bool

// wantedBy reads requested-attributes. Names that nobody knows are left out of account, as the standard says.
func wantedBy(q *request, otherwise ...string) (wanted, error) {
	values, err := many[goipp.String](q.operation, "requested-attributes", goipp.TagKeyword)
	w := wanted{}
	for _, v := range values {
		w[string(v)] = true
	}
	if values == nil {
		for _, name := range otherwise {
			w[name] = true
		}
	}
	return w, err
}

// of picks what is wanted of a list of printer- or job-description attributes.
func (w wanted) of(l *list, description string) goipp.Attributes {
	picked := goipp.Attributes{}
	for _, group := range []struct {
		attrs []goipp.Attribute
		whole bool
	}{{l.description, w["all"] || w[description]}, {l.template, w["all"] || w["job-template"]}, {l.named, false}} {
		for _, a := range group.attrs {
			if group.whole || w[a.Name] {
				picked.Add(a)
			}
		}
	}
	return picked
}
