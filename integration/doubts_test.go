package integration

import (
	"bytes"
	"fmt"
	"slices"

	"printq/http/api"
	"printq/integration/emulator"
	"printq/integration/paper"
)

// noteDoubts counts the units of held jobs that are in doubt by why they are, and by what is on the paper of them.
func (p *press) noteDoubts(held []*api.Job, whys map[string]int) {
	pages := p.pages()
	for _, j := range held {
		if j.InDoubt == nil {
			continue
		}
		d := p.documents[slices.Index(p.jobs, j.ID)]
		for n := int(j.Printed) + 1; n <= int(lastDoubt(j)); n++ {
			whys[fmt.Sprintf("%s (%s)", j.InDoubt.Why, stateOf(d, n, pages))]++
		}
	}
}

// stateOf is what is on the paper of a page.
func stateOf(d paper.Document, n int, pages []emulator.Page) string {
	if len(d.Out(pages)[n-1]) > 0 {
		return "out"
	}
	begin := fmt.Appendf(nil, "=== %s, page %d ===", d.Name, n)
	if slices.ContainsFunc(pages, func(p emulator.Page) bool { return bytes.Contains(p.Data, begin) }) {
		return "torn"
	}
	return "not out"
}
