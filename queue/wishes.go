package queue

import (
	"fmt"
	"slices"
	"strings"

	"printq/queue/queuepb"
)

// A job's wishes are its options; a printer's offers have the same form.

// optionPageRanges is the wish for some pages of a document that nobody could cut (RFC 8011 §5.2.7).
const optionPageRanges = "page-ranges"

// checkOptions looks at a list of options or offers.
func checkOptions(options []*queuepb.Option) error {
	if len(options) > MaxOptions {
		return fmt.Errorf("%w: %d options, at most %d", ErrInvalid, len(options), MaxOptions)
	}
	for i, o := range options {
		if o.GetName() == "" || len(o.GetName()) > MaxText || len(o.GetValue()) > MaxText {
			return fmt.Errorf("%w: option %q: want a name, and at most %d bytes", ErrInvalid, o.GetName(), MaxText)
		}
		if i > 0 && o.GetName() <= options[i-1].GetName() {
			return fmt.Errorf("%w: options must be in the order of their names, each once", ErrInvalid)
		}
	}
	return nil
}

// optionMessages is a copy that nobody else has.
func optionMessages(options []*queuepb.Option) []*queuepb.Option {
	list := slices.Clone(options)
	for i, o := range list {
		list[i] = &queuepb.Option{Name: o.GetName(), Value: o.GetValue()}
	}
	return list
}

// mergeOptions is a list as it becomes with these: an empty value takes one away. Both are in the order of their names.
func mergeOptions(list, with []*queuepb.Option) []*queuepb.Option {
	merged := optionMessages(list)
	for _, o := range with {
		i, there := slices.BinarySearchFunc(merged, o.GetName(), func(x *queuepb.Option, name string) int { return strings.Compare(x.Name, name) })
		switch {
		case o.GetValue() == "" && there:
			merged = slices.Delete(merged, i, i+1)
		case o.GetValue() == "":
		case there:
			merged[i].Value = o.GetValue()
		default:
			merged = slices.Insert(merged, i, &queuepb.Option{Name: o.GetName(), Value: o.GetValue()})
		}
	}
	return merged
}

func equalOptions(a, b []*queuepb.Option) bool {
	return slices.EqualFunc(a, b, func(x, y *queuepb.Option) bool { return x.GetName() == y.GetName() && x.GetValue() == y.GetValue() })
}

// wishList are a job's options.
func (j *job) wishList() []*queuepb.Option {
	if j.rare == nil {
		return nil
	}
	return j.rare.options
}

// wish gives a job other options.
func (j *job) wish(options []*queuepb.Option) {
	if len(options) > 0 || j.rare != nil {
		j.seldom().options = options
	}
}

// Wish is the value of one of a job's options; empty: it has none of that name.
func Wish(options []*queuepb.Option, name string) string {
	for _, o := range options {
		if o.Name == name {
			return o.Value
		}
	}
	return ""
}
