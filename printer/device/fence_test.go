package device

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"printq/queue"
)

// Each row of rule R8: the mark, the request, the outcome and the mark after it.
func TestRuleR8(t *testing.T) {
	high, lower, higher := queue.Token{Term: 3, Index: 9}, queue.Token{Term: 3, Index: 8}, queue.Token{Term: 4, Index: 1}
	type ask struct {
		token      queue.Token
		attempt    uint64
		copy, page int
		first      bool
		last       bool
	}
	empty := Mark{Closed: true}
	openAt := Mark{Attempt: 5, Copy: 1, Page: 2}
	done := Mark{Attempt: 5, Copy: 2, Page: 3, Closed: true}
	tomb := Mark{Attempt: 5, Closed: true}
	for _, row := range []struct {
		name string
		mark Mark
		ask  ask
		want Verdict
		err  error
		then Mark
	}{
		{"a lower token is stale", openAt, ask{lower, 5, 1, 3, false, false}, Refused, ErrStale, openAt},
		{"a higher token must open first", openAt, ask{higher, 5, 1, 3, false, false}, Refused, ErrRefused, openAt},
		{"no token was ever opened", openAt, ask{queue.Token{}, 5, 1, 3, false, false}, Refused, ErrStale, openAt},
		{"the next page prints", openAt, ask{high, 5, 1, 3, false, false}, Prints, nil, Mark{Attempt: 5, Copy: 1, Page: 3}},
		{"the next copy prints", Mark{Attempt: 5, Copy: 1, Page: 3}, ask{high, 5, 2, 1, false, false}, Prints, nil, Mark{Attempt: 5, Copy: 2, Page: 1}},
		{"a copy does not end early", openAt, ask{high, 5, 2, 1, false, false}, Refused, ErrRefused, openAt},
		{"the mark's page is acknowledged", openAt, ask{high, 5, 1, 2, false, false}, Repeats, nil, openAt},
		{"an older page is acknowledged", done, ask{high, 5, 1, 3, false, false}, Repeats, nil, done},
		{"a gap is refused", openAt, ask{high, 5, 1, 4, false, false}, Refused, ErrRefused, openAt},
		{"first is no way around a gap", openAt, ask{high, 5, 1, 4, true, false}, Refused, ErrRefused, openAt},
		{"the last page closes", openAt, ask{high, 5, 1, 3, false, true}, Prints, nil, Mark{Attempt: 5, Copy: 1, Page: 3, Closed: true}},
		{"a closed attempt is refused", Mark{Attempt: 5, Copy: 1, Page: 2, Closed: true}, ask{high, 5, 1, 3, false, false}, Refused, ErrRefused, Mark{Attempt: 5, Copy: 1, Page: 2, Closed: true}},
		{"also one closed unseen", tomb, ask{high, 5, 1, 1, false, false}, Refused, ErrRefused, tomb},
		{"an older attempt is refused", done, ask{high, 4, 1, 1, false, false}, Refused, ErrRefused, done},
		{"a higher attempt waits for a close", openAt, ask{high, 6, 1, 1, false, false}, Refused, ErrRefused, openAt},
		{"and begins at its first page", done, ask{high, 6, 1, 1, true, false}, Prints, nil, Mark{Attempt: 6, Copy: 1, Page: 1}},
		{"not at the second", done, ask{high, 6, 1, 2, false, false}, Refused, ErrRefused, done},
		{"nor at the second copy", done, ask{high, 6, 2, 1, false, false}, Refused, ErrRefused, done},
		{"but where it says it begins", done, ask{high, 6, 2, 2, true, false}, Prints, nil, Mark{Attempt: 6, Copy: 2, Page: 2}},
		{"the first of all", empty, ask{high, 1, 1, 1, true, true}, Prints, nil, Mark{Attempt: 1, Copy: 1, Page: 1, Closed: true}},
		{"page 0 is none", done, ask{high, 6, 1, 0, true, false}, Refused, ErrRefused, done},
		{"attempt 0 is none", empty, ask{high, 0, 1, 1, true, false}, Refused, ErrRefused, empty},
	} {
		f := Fence{Epoch: "e", High: high, Mark: row.mark}
		got, err := f.Print(Page{
			Token: row.ask.token, Attempt: row.ask.attempt, Copy: row.ask.copy, Page: row.ask.page,
			First: row.ask.first, Last: row.ask.last, PerCopy: 3,
		})
		if got != row.want || !errors.Is(err, row.err) || (err == nil) != (row.err == nil) || f.Mark != row.then {
			t.Errorf("%s: %v, %v, mark %+v", row.name, got, err, f.Mark)
		}
	}
}

func TestRuleR8Close(t *testing.T) {
	for _, row := range []struct {
		mark    Mark
		attempt uint64
		then    Mark
	}{
		{Mark{Attempt: 5, Copy: 1, Page: 2}, 5, Mark{Attempt: 5, Copy: 1, Page: 2, Closed: true}},
		{Mark{Attempt: 5, Copy: 1, Page: 2, Closed: true}, 6, Mark{Attempt: 6, Closed: true}},
		{Mark{Attempt: 5, Copy: 1, Page: 2}, 6, Mark{Attempt: 6, Closed: true}},
		{Mark{Attempt: 5, Copy: 1, Page: 2}, 4, Mark{Attempt: 5, Copy: 1, Page: 2}},
	} {
		f := Fence{High: queue.Token{Term: 1, Index: 1}, Mark: row.mark}
		if err := f.Close(f.High, row.attempt); err != nil || f.Mark != row.then {
			t.Errorf("%+v close %d: %+v, %v", row.mark, row.attempt, f.Mark, err)
		}
	}
}

// modelDevice is the device of the rules' model (an earlier, separate search of them; class fenced), in units counted over all
// copies.
type modelDevice struct {
	high, att, unit uint64
	closed          bool
	n               uint64 // units of every attempt
}

func (p *modelDevice) deliver(kind string, tok, att, unit uint64) string {
	if kind == "open" {
		if tok < p.high {
			return "stale"
		}
		p.high = max(p.high, tok)
		return "ok"
	}
	if tok < p.high {
		return "stale"
	}
	if tok > p.high {
		return "refused"
	}
	if kind == "close" {
		if att == p.att {
			p.closed = true
		} else if att > p.att {
			p.att, p.unit, p.closed = att, 0, true
		}
		return "ok"
	}
	if att == p.att {
		switch {
		case unit <= p.unit:
			return "repeats"
		case p.closed, unit != p.unit+1:
			return "refused"
		}
	} else if att < p.att || p.att != 0 && !p.closed || unit != 1 {
		return "refused"
	}
	p.att, p.unit, p.closed = att, unit, unit == p.n
	return "prints"
}

func TestFenceIsTheModels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perCopy, copies := rapid.IntRange(1, 3).Draw(t, "pages"), rapid.IntRange(1, 3).Draw(t, "copies")
		n := perCopy * copies
		f, m := NewFence("e", "c"), modelDevice{n: uint64(n)}
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			tok, att := rapid.Uint64Range(1, 3).Draw(t, "token"), rapid.Uint64Range(1, 4).Draw(t, "attempt")
			unit := rapid.IntRange(1, n).Draw(t, "unit")
			kind := rapid.SampledFrom([]string{"open", "page", "page", "page", "page", "close"}).Draw(t, "kind")
			want := m.deliver(kind, tok, att, uint64(unit))
			got := deliver(&f, kind, queue.Token{Term: 1, Index: tok}, att, unit, perCopy, n)
			mark := Mark{Attempt: m.att, Closed: m.closed || m.att == 0}
			if m.unit > 0 {
				mark.Copy, mark.Page = (int(m.unit)-1)/perCopy+1, (int(m.unit)-1)%perCopy+1
			}
			if got != want || f.Mark != mark || f.Mark.Units(perCopy) != int(m.unit) {
				t.Fatalf("%s token %d attempt %d unit %d: %s, mark %+v; the model: %s, %+v", kind, tok, att, unit, got, f.Mark, want, mark)
			}
		}
	})
}

func deliver(f *Fence, kind string, tok queue.Token, att uint64, unit, perCopy, n int) string {
	verdict, err := Prints, error(nil)
	switch kind {
	case "open":
		err = f.Open(tok)
	case "close":
		err = f.Close(tok, att)
	default:
		verdict, err = f.Print(Page{
			Token: tok, Attempt: att, Copy: (unit-1)/perCopy + 1, Page: (unit-1)%perCopy + 1,
			First: unit == 1, Last: unit == n, PerCopy: perCopy,
		})
	}
	switch {
	case errors.Is(err, ErrStale):
		return "stale"
	case errors.Is(err, ErrRefused):
		return "refused"
	case err != nil:
		return fmt.Sprint(err)
	case kind != "page":
		return "ok"
	}
	return map[Verdict]string{Prints: "prints", Repeats: "repeats"}[verdict]
}

func TestCheck(t *testing.T) {
	f := NewFence("e", "c")
	tok := queue.Token{Term: 2, Index: 2}
	if err := f.Check(tok, "e"); !errors.Is(err, ErrRefused) {
		t.Errorf("not opened: %v", err)
	}
	if err := f.Open(tok); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(tok, "e"); err != nil {
		t.Error(err)
	}
	if err := f.Check(tok, "f"); !errors.Is(err, ErrRefused) {
		t.Errorf("another epoch: %v", err)
	}
	if err := f.Check(queue.Token{Term: 1, Index: 9}, "e"); !errors.Is(err, ErrStale) {
		t.Errorf("a lower token: %v", err)
	}
}
