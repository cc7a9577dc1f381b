package ipp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/OpenPrinting/goipp"
)

// pageRanges are which pages of a document are wanted; none: all. They are cut where the document is received, so that all
// else counts what is printed; where pages do not stand alone (PDF), they cannot be.
type pageRanges []goipp.Range

// maxRanges is how many there may be: as text they fit what the queue keeps.
const maxRanges = 10

// pageRangesOf reads page-ranges: in order, and none over another (RFC 8011 §5.2.7).
func pageRangesOf(job goipp.Attributes) (pageRanges, error) {
	values, err := many[goipp.Range](job, "page-ranges", goipp.TagRange)
	if err != nil {
		return nil, err
	}
	last := 0
	for _, r := range values {
		if r.Lower <= last || r.Upper < r.Lower {
			return nil, badRequest("page-ranges: %d-%d stands after page %d: from 1, in order, none over another", r.Lower, r.Upper, last)
		}
		last = r.Upper
	}
	if len(values) > maxRanges {
		return nil, fail(goipp.StatusErrorAttributesOrValues, "page-ranges has %d ranges: it may have %d", len(values), maxRanges)
	}
	return values, nil
}

// String is how the queue keeps them.
func (p pageRanges) String() string {
	var parts []string
	for _, r := range p {
		parts = append(parts, fmt.Sprintf("%d-%d", r.Lower, r.Upper))
	}
	return strings.Join(parts, ",")
}

// parseRanges is String undone.
func parseRanges(s string) (p pageRanges) {
	for part := range strings.SplitSeq(s, ",") {
		low, high, ok := strings.Cut(part, "-")
		a, errA := strconv.Atoi(low)
		b, errB := strconv.Atoi(high)
		if ok && errA == nil && errB == nil {
			p = append(p, goipp.Range{Lower: a, Upper: b})
		}
	}
	return p
}

func (p pageRanges) has(page int) bool {
	return slices.ContainsFunc(p, func(r goipp.Range) bool { return r.Lower <= page && page <= r.Upper })
}

func (p pageRanges) attribute() goipp.Attribute {
	a := goipp.Attribute{Name: "page-ranges"}
	for _, r := range p {
		a.Values.Add(goipp.TagRange, r)
	}
	return a
}
