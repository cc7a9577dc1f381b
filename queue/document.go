package queue

import "slices"

// A jobDocument is where a job's document lies. Most have one piece: it needs no memory of its own, which with a million jobs is a third
// of the objects that the collector has to visit.
type jobDocument struct {
	one  [1]Extent // Length 0: none
	many *[]Extent // instead of one
}

func documentOf(list []Extent) (d jobDocument) {
	switch {
	case len(list) == 1 && list[0].Length != 0:
		d.one[0] = list[0]
	case len(list) > 0:
		many := list // memory is taken only here
		d.many = &many
	}
	return d
}

// extents are the pieces in order. They must not be changed, and are the job's.
func (d *jobDocument) extents() []Extent {
	switch {
	case d.many != nil:
		return *d.many
	case d.one[0].Length != 0:
		return d.one[:]
	}
	return nil
}

// add adds a piece.
func (d *jobDocument) add(x Extent) {
	if d.extents() == nil && x.Length != 0 {
		d.one[0] = x
		return
	}
	*d = documentOf(append(slices.Clone(d.extents()), x))
}
