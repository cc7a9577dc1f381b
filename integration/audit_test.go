package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"printq/http/api"
	"printq/printer/tray"
)

// audit is how every test ends: all members are up, every acknowledged job ends and is completed, the paper is what was
// sent, and the log is one and verifies on all members. It returns the lines of the log.
func (c *cluster) audit(ctx context.Context) [][]byte {
	c.t.Helper()
	c.ready(ctx, c.members...)
	documents := c.acknowledged()
	states := c.settle(ctx, documents)
	r := check(c.papers(), documents)
	c.t.Log(r)
	wrong := r.violations()
	for _, d := range documents {
		if states[d.job] != "completed" {
			wrong = append(wrong, fmt.Sprintf("job %d (%s) is %s", d.job, d.name, states[d.job]))
		}
	}
	const most = 20
	for i, w := range wrong {
		if i == most {
			c.t.Errorf("and %d more", len(wrong)-most)
			break
		}
		c.t.Error(w)
	}
	return c.compareLogs(ctx)
}

// settle follows the log until every acknowledged job has ended, and says in which state.
func (c *cluster) settle(ctx context.Context, documents []*document) map[uint64]string {
	c.t.Helper()
	left, states := map[uint64]bool{}, map[uint64]string{}
	for _, d := range documents {
		left[d.job] = true
	}
	if len(left) == 0 {
		return states
	}
	err := c.readLog(ctx, 1, func(l logLine, _ []byte) error {
		if !api.Ended(l.State) {
			return nil
		}
		states[l.Job] = l.State
		if delete(left, l.Job); len(left) == 0 {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		some := slices.Sorted(maps.Keys(left))
		c.t.Fatalf("%d of %d acknowledged jobs do not end: %v\n%s", len(left), len(documents), err, c.describe(some[:min(3, len(some))]))
	}
	return states
}

// describe is what the members that answer say of jobs, for a failed test.
func (c *cluster) describe(jobs []uint64) string {
	ctx := context.WithoutCancel(c.t.Context())
	var b strings.Builder
	for _, m := range c.members {
		v := m.status(ctx)
		if v == nil {
			fmt.Fprintf(&b, "member %d does not answer\n", m.id)
			continue
		}
		fmt.Fprintf(&b, "member %d: leader %d, term %d, applied %d, committed %d, seq %d, %q\n", m.id, v.Leader, v.Term, v.Applied, v.Commit, v.Seq, v.Alarms)
		for _, id := range jobs {
			_, text, err := m.try(ctx, m.addr, &request{method: http.MethodGet, path: fmt.Sprintf("/v1/jobs/%d", id), query: stale})
			fmt.Fprintf(&b, "  %s %v\n", bytes.TrimSpace(text), err)
		}
	}
	return b.String()
}

// papers is what came out of each printer: the lines of its tray's ledger that count, and the files that they name.
func (c *cluster) papers() map[string][]sheet {
	c.t.Helper()
	papers := map[string][]sheet{}
	for _, dir := range c.trays {
		ledger := c.ledger(dir)
		printer := printerOf(dir)
		for _, p := range ledger.Pages {
			if err := p.Verify(); err != nil {
				c.t.Errorf("the tray of %s: %v", printer, err)
			}
			papers[printer] = append(papers[printer], sheet{p.Job, p.Copy, p.Page, inFile(p.Path, p.Bytes)})
		}
	}
	return papers
}

// printerOf is the printer whose tray it is.
func printerOf(dir string) string { return strings.TrimPrefix(filepath.Base(dir), "tray-") }

func (c *cluster) ledger(dir string) *tray.Ledger {
	c.t.Helper()
	ledger, err := tray.Read(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	return ledger
}

// compareLogs reads the log of every member, up to the newest line that any of them has, and checks it.
func (c *cluster) compareLogs(ctx context.Context) (lines [][]byte) {
	c.t.Helper()
	last := uint64(0)
	for _, m := range c.members {
		if v := m.status(ctx); v != nil {
			last = max(last, v.Seq)
		}
	}
	for i, m := range c.members {
		these, err := m.linesUpTo(ctx, last)
		if err != nil {
			c.t.Fatal(err)
		}
		if i == 0 {
			lines = these
			err = verify(lines)
		} else {
			err = same(lines, these)
		}
		if err != nil {
			c.t.Errorf("the log of member %d: %v", m.id, err)
		}
	}
	c.t.Logf("log verified on %d members: %d lines, byte for byte the same", size, len(lines))
	return lines
}
