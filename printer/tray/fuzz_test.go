package tray

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"printq/queue"
)

// FuzzLedger: whatever stands in a ledger, what counts of it keeps rule R8: no page of an attempt twice, attempts in order, no page under a
// token that is lower than one before it.
func FuzzLedger(f *testing.F) {
	opens := func(term, index uint64) string {
		return string(record{kind: claim, token: token(term, index)}.encode())
	}
	line := func(term, attempt uint64, number int, last bool) string {
		return string(record{kind: page, token: token(term, 2), attempt: attempt, job: 4, copy: 1, page: number, first: number == 1, last: last}.encode())
	}
	begin := string(record{kind: epoch, epoch: "e", cluster: "c"}.encode())
	good := begin + opens(1, 2) + line(1, 3, 1, false) + line(1, 3, 1, false) + line(1, 3, 2, true)
	f.Add(good)
	f.Add(begin + opens(1, 2) + line(1, 3, 1, false) + line(1, 3, 2, true) + opens(2, 2) + line(1, 5, 1, false) + line(2, 5, 1, true))
	f.Add(begin + opens(2, 2) + line(2, 3, 1, false)[:20] + "\n" + opens(1, 2) + line(2, 3, 1, false) + line(2, 3, 1, false))
	f.Add("{\"epoch\":\"e\",\"cluster\":\"c\"}\n{\"term\":1,\"index\":2,\"close\":7}\n\n\x00")
	f.Fuzz(func(t *testing.T, ledger string) {
		if strings.Count(strings.ToLower(ledger), "epoch") > 1 || strings.Contains(ledger, `\u`) {
			return // an adopted tray begins anew, perhaps under a name that it had
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "ledger.ndjson"), []byte(ledger), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(ledger, "\n"); len(l.Pages)+len(l.Ignored) > lines {
			t.Fatalf("%d lines make %d pages and %d that are ignored", lines, len(l.Pages), len(l.Ignored))
		}
		var high queue.Token
		var last Page
		for _, p := range l.Pages {
			later := p.Attempt > last.Attempt || p.Attempt == last.Attempt && (p.Copy > last.Copy || p.Copy == last.Copy && p.Page > last.Page)
			if p.Token.Less(high) || !later && last.Line > 0 {
				t.Fatalf("page %+v counts after %+v", p, last)
			}
			high, last = p.Token, p
		}
	})
}

// FuzzPart: a part's name says what it is a part of, or it is none.
func FuzzPart(f *testing.F) {
	f.Add("1-2-3-4-5-6.txt")
	f.Add("1-2-3-4-5-06.txt")
	f.Add("-1-2-3-4-5-6.")
	f.Add("ahead-1-2-3-4-5-6.txt")
	f.Fuzz(func(t *testing.T, name string) {
		if p, ok := parsePart(name); ok && p.name() != name {
			t.Errorf("%q is the part %q", name, p.name())
		}
	})
}
