package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A token is what a claim opened; the later one is the greater.
type token [2]uint64

// readLedger reads a tray's ledger by the words of the design, and shares no line with the tray's own reader: a page counts
// if no higher claim stands before it, and if it is the next of the attempt that is open, or the first of a later one where
// none is open.
func readLedger(dir string) (paper []slip, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "ledger.ndjson"))
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(dir, "pages"))
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, e := range entries {
		files[strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))] = e.Name()
	}
	var high token
	var at slip
	open := false
	for text := range bytes.Lines(b) {
		var l struct {
			Claim       *token
			Term, Index uint64
			Attempt     uint64
			Job         uint64
			Copy, Page  int
			Bytes       int64
			Last        bool
			Close       *uint64
		}
		if json.Unmarshal(text, &l) != nil { // a torn fragment, or an empty line
			continue
		}
		if l.Claim != nil {
			if slices.Compare(high[:], l.Claim[:]) <= 0 {
				high = *l.Claim
			}
			continue
		}
		if (token{l.Term, l.Index}) != high || high == (token{}) {
			continue
		}
		s := slip{sheet{job: l.Job, copy: l.Copy, page: l.Page}, l.Attempt}
		switch {
		case l.Close != nil:
			if *l.Close >= at.attempt {
				at.attempt, open = *l.Close, false
			}
			continue
		case s.attempt > at.attempt && !open && s.copy == 1 && s.page == 1:
		case s.attempt == at.attempt && open && s.copy == at.copy && s.page == at.page+1:
		case s.attempt == at.attempt && open && s.copy == at.copy+1 && s.page == 1:
		default:
			continue
		}
		name := files[fmt.Sprintf("%d-%d-%d", s.job, s.copy, s.page)]
		if name == "" {
			return nil, fmt.Errorf("%s: page %d-%d-%d has no file", dir, s.job, s.copy, s.page)
		}
		s.data = inFile(filepath.Join(dir, "pages", name), l.Bytes)
		paper, at, open = append(paper, s), s, !l.Last
	}
	return paper, nil
}

// slips is the paper of each printer, as the tray's reader and this one agree on it.
func (c *cluster) slips() map[string][]slip {
	c.t.Helper()
	papers, theirs := map[string][]slip{}, c.papers()
	for _, dir := range c.trays {
		printer := printerOf(dir)
		paper, err := readLedger(dir)
		if err != nil {
			c.t.Fatal(err)
		}
		papers[printer] = paper
		same := slices.EqualFunc(paper, theirs[printer], func(a slip, b sheet) bool {
			return a.job == b.job && a.copy == b.copy && a.page == b.page
		})
		if !same {
			c.t.Errorf("the two readers of the tray of %s disagree: %d and %d pages", printer, len(paper), len(theirs[printer]))
		}
	}
	return papers
}
