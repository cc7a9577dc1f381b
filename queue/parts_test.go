package queue

import (
	"errors"
	"slices"
	"testing"

	"printq/queue/queuepb"
)

func holdNew(printer string, hold bool) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_HoldNew{HoldNew: &queuepb.HoldNew{Printer: printer, Hold: hold}}}
}

func reorder(job, after uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Reorder{Reorder: &queuepb.Reorder{Job: job, After: after}}}
}

// more makes an attach one of several.
func more(c *queuepb.Command, number uint32, last bool) *queuepb.Command {
	c.GetAttachDocument().Number, c.GetAttachDocument().Last = number, last
	return c
}

// A job of several documents: each is printed once, in their order, whatever is said twice.
func TestParts(t *testing.T) {
	for name, c := range map[string]struct {
		sent []string // with ! the last, with a digit before it the number
		want []string // the documents printed
		errs int
	}{
		"one":                            {[]string{"a!"}, []string{"a"}, 0},
		"one, twice":                     {[]string{"a!", "a!"}, []string{"a"}, 0},
		"two":                            {[]string{"a", "b!"}, []string{"a", "b"}, 0},
		"two, each twice":                {[]string{"a", "a", "b!", "b!"}, []string{"a", "b"}, 0},
		"two, and the first once more":   {[]string{"a", "b!", "a"}, []string{"a", "b"}, 0},
		"one after the last":             {[]string{"a!", "b"}, []string{"a"}, 1},
		"one after the last of two":      {[]string{"a", "b!", "c"}, []string{"a", "b"}, 1},
		"equal ones, by number":          {[]string{"1a", "2a", "3a!"}, []string{"a", "a", "a"}, 0},
		"equal ones, said twice":         {[]string{"1a", "1a", "2a", "2a", "3a!", "3a!"}, []string{"a", "a", "a"}, 0},
		"another one under a number":     {[]string{"1a", "1b", "2b!"}, []string{"a", "b"}, 1},
		"another under a later number":   {[]string{"1a", "2b", "2c", "3c!"}, []string{"a", "b", "c"}, 1},
		"one that does not follow":       {[]string{"2a", "1a", "3b", "2b!"}, []string{"a", "b"}, 2},
		"the last was said to be by one": {[]string{"a", "a!", "b"}, []string{"a"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := setUp(t, nil)
			id := w.must(createJob("p"))
			var printed []string
			errs := 0
			for _, s := range c.sent {
				number := uint32(0)
				if s[0] <= '9' {
					number, s = uint32(s[0]-'0'), s[1:]
				}
				_, out := w.attachCommand(more(attachTo(id, s[:1]), number, len(s) > 1), s[:1])
				if out.Err != nil {
					errs++
				}
				if out.Job != id {
					t.Errorf("%s: %+v", s, out)
				}
				w.drain()
				for w.Drive(1).Work != nil { // it may have been printed, or not
					k := w.Drive(1).Work
					if len(printed) >= 1 && w.job(k.Job).PartOf != id || !slices.Contains(append(w.job(id).Parts, id), k.Job) {
						t.Errorf("job %v", w.job(k.Job))
					}
					printed = append(printed, map[[32]byte]string{sum("a"): "a", sum("b"): "b", sum("c"): "c"}[k.SHA256])
					w.done(1, 2, false, "")
					w.drain()
				}
			}
			if !slices.Equal(printed, c.want) || errs != c.errs {
				t.Errorf("printed %v with %d refusals, want %v with %d", printed, errs, c.want, c.errs)
			}
		})
	}
}

func sum(body string) (s [32]byte) {
	copy(s[:], attachTo(0, body).GetAttachDocument().Sha256)
	return s
}

func TestPartsFollowTheirJob(t *testing.T) {
	w := setUp(t, nil)
	c := createJob("p")
	c.GetCreateJob().Hold, c.GetCreateJob().Copies, c.GetCreateJob().Priority = true, 2, 70
	id := w.must(c)
	w.attachCommand(more(attachTo(id, "a"), 0, false), "a")
	w.attachCommand(more(attachTo(id, "b"), 0, false), "b")
	part := w.job(w.job(id).Parts[0])
	if part.State != uint32(Held) || part.Reason != reasonHold || part.Copies != 2 || part.Priority != 70 || part.Name != "n" || part.User != "u" {
		t.Errorf("the part of a held job: %v", part)
	}
	w.must(cancelJob(id))
	if _, out := w.attachCommand(more(attachTo(id, "c"), 0, true), "c"); !errors.Is(out.Err, ErrState) {
		t.Errorf("a further document of a canceled job: %+v", out)
	}
	if _, out := w.attachCommand(attachTo(part.Id, "c"), "c"); !errors.Is(out.Err, ErrState) {
		t.Errorf("a further document of a part: %+v", out)
	}
	many := w.must(createJob("p"))
	for i := range MaxParts + 2 {
		body := string(rune('0' + i))
		_, out := w.attachCommand(more(attachTo(many, body), 0, false), body)
		if over := i > MaxParts; errors.Is(out.Err, ErrLimit) != over {
			t.Errorf("document %d: %+v", i+1, out)
		}
	}
	w.drain()
}

func TestHoldNew(t *testing.T) {
	w := setUp(t, nil)
	before := w.submit("p", 1, 1)
	w.must(holdNew("p", true))
	w.drain()
	a, b, c := w.submit("p", 1, 1), w.must(createJob("p")), w.submit("p", 1, 1)
	w.attach(b, "x")
	w.is(before, Processing, reasonPrinting)
	for _, id := range []uint64{a, b, c} {
		w.is(id, Held, reasonHeldNew)
	}
	person := w.submit("p", 1, 1)
	w.must(releaseJob(person))
	w.must(holdJob(person))
	w.must(releaseJob(c))
	w.is(c, Pending, "")
	_, out := w.attachCommand(more(attachTo(b, "y"), 0, true), "y")
	if out.Err == nil {
		t.Error("a further document after the last")
	}
	d := w.must(createJob("p"))
	w.attachCommand(more(attachTo(d, "x"), 0, false), "x")
	w.attachCommand(more(attachTo(d, "y"), 0, true), "y")
	part := w.job(d).Parts[0]
	w.is(part, Held, reasonHeldNew)
	w.must(holdNew("p", false))
	w.is(part, Pending, "")
	w.is(a, Pending, "")
	w.is(b, Pending, "")
	w.is(person, Held, reasonHold)
	w.is(w.submit("p", 1, 1), Pending, "")
	if _, err := w.ask(holdNew("none", true)); !errors.Is(err, ErrNoPrinter) {
		t.Errorf("no such printer: %v", err)
	}
	w.drain()
}

func TestReorder(t *testing.T) {
	for name, c := range map[string]struct {
		moves [][2]int // job, after
		want  []int
	}{
		"as submitted":               {nil, []int{1, 2, 3, 4}},
		"the last first":             {[][2]int{{4, 0}}, []int{4, 1, 2, 3}},
		"two first":                  {[][2]int{{4, 0}, {3, 0}}, []int{3, 4, 1, 2}},
		"the first, first":           {[][2]int{{1, 0}}, []int{1, 2, 3, 4}},
		"after one":                  {[][2]int{{4, 1}}, []int{1, 4, 2, 3}},
		"both after one":             {[][2]int{{4, 1}, {3, 1}}, []int{1, 3, 4, 2}},
		"after the last":             {[][2]int{{1, 4}}, []int{2, 3, 4, 1}},
		"after the one that prints":  {[][2]int{{3, -1}}, []int{3, 1, 2, 4}},
		"after a more important one": {[][2]int{{3, 5}}, []int{1, 2, 4, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			w := setUp(t, nil)
			prints := w.submit("p", 1, 1)
			ids := map[int]uint64{-1: prints}
			for i := 1; i <= 4; i++ {
				ids[i] = w.submit("p", 1, 1)
			}
			if name == "after a more important one" {
				w.must(setJob(ids[4], func(m *queuepb.SetJob) { m.Priority = new(uint32(80)) }))
				c.moves = [][2]int{{3, 4}}
				c.want = []int{4, 3, 1, 2}
			}
			for _, m := range c.moves {
				w.must(reorder(ids[m[0]], ids[m[1]]))
				w.drain()
			}
			var order []int
			for range 4 {
				w.done(1, 1, false, "")
				order = append(order, int(w.Drive(1).Work.Job-prints))
			}
			if !slices.Equal(order, c.want) {
				t.Errorf("they print as %v, want %v", order, c.want)
			}
		})
	}
}

func TestReorderRefusals(t *testing.T) {
	w := setUp(t, nil)
	w.must(setPrinter("q", &queuepb.PrinterSettings{}))
	prints, a, b, other := w.submit("p", 1, 1), w.submit("p", 1, 1), w.submit("p", 1, 1), w.submit("q", 1, 1)
	held := w.submit("p", 1, 1)
	w.must(holdJob(held))
	for name, c := range map[string]struct {
		job, after uint64
		want       error
	}{
		"no job":           {99, 0, ErrNoJob},
		"that prints":      {prints, 0, ErrState},
		"that is held":     {held, 0, ErrState},
		"after no job":     {a, 99, ErrNoJob},
		"after itself":     {a, a, ErrState},
		"after a held one": {a, held, ErrState},
		"after another's":  {a, other, ErrState},
	} {
		if _, err := w.ask(reorder(c.job, c.after)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// Turns between two jobs come to an end, and nothing changes then.
	var err error
	for x, y := b, w.submit("p", 1, 1); err == nil; x, y = y, x {
		_, err = w.ask(reorder(y, a))
	}
	if !errors.Is(err, ErrLimit) {
		t.Errorf("%v", err)
	}
	check(w, w.State)
	w.drain()
}
