package queue

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"printq/queue/queuepb"
)

// TestTranscripts plays the conversations in testdata. A command is a fact, a decision of the present leader, or one of
// term (a new one begins), tick (time passes), drain (and load), jobs, waits. What it says is the outcome, the lines
// without what varies, and the drives that changed.
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		p := &play{world: newWorld(t)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			p.TB, p.out = t, strings.Builder{}
			p.run(d)
			return p.out.String()
		})
	})
}

type play struct {
	*world
	out strings.Builder
}

func (p *play) run(d *datadriven.TestData) {
	switch d.Cmd {
	case "term":
		p.epoch++
		p.show(p.entry())
	case "tick":
		var by string
		d.ScanArgs(p.TB.(*testing.T), "by", &by)
		step, err := time.ParseDuration(by)
		if err != nil {
			p.Fatal(err)
		}
		p.now = p.now.Add(step)
	case "drain":
		p.drain()
	case "jobs":
		for j := range p.LiveJobs(0) {
			fmt.Fprintf(&p.out, "%d %s %s %s: %s\n", j.Id, j.Printer, JobState(j.State), j.Reason, p.Waits(j.Id))
		}
	case "due":
		fmt.Fprintln(&p.out, strings.Join(strings.Fields(fmt.Sprint(p.Due(p.now, 100))), " "))
	default:
		c := p.command(d)
		p.show(p.packed(make([]byte, c.Payload), c))
	}
}

var varies = regexp.MustCompile(`^\{"seq":\d+,"index":(\d+),"term":(\d+),"time":"[^"]*","type":"([^"]*)"|,"sha256":"[^"]*"|,"hash":"[^"]*"`)

func (p *play) show(r Result) {
	for _, o := range r.Outcomes {
		switch {
		case o.Err != nil:
			fmt.Fprintf(&p.out, "refused: %v\n", o.Err)
		case o.Repeated:
			fmt.Fprintf(&p.out, "repeated: job %d\n", o.Job)
		}
	}
	for _, l := range r.Lines {
		fmt.Fprintln(&p.out, strings.TrimSuffix(varies.ReplaceAllString(string(l.JSON), "$3"), "}"))
	}
	for _, id := range r.Devices {
		fmt.Fprintln(&p.out, "  "+describe(p.Drive(id)))
	}
	if len(r.Retain)+len(r.Release) > 0 {
		fmt.Fprintf(&p.out, "  retain %v release %v\n", r.Retain, r.Release)
	}
}

func describe(d Drive) string {
	if d.Removed {
		return fmt.Sprintf("device %d: removed", d.Device)
	}
	s := fmt.Sprintf("device %d: token %d.%d", d.Device, d.Token.Term, d.Token.Index)
	if d.Resumed {
		s += " resumed"
	}
	if d.Closing != 0 {
		s += fmt.Sprintf(", closing %d", d.Closing)
	}
	if d.Reason != "" {
		s += ", " + d.Reason
	}
	if k := d.Work; k != nil {
		s += fmt.Sprintf(", job %d attempt %d: %d of %dx%d after %d", k.Job, k.Attempt, k.Printed, k.Copies, k.Units, k.Start)
		if k.Stopping {
			s += ", stopping"
		}
	}
	return s
}

// args reads a command's arguments, by name.
type args map[string]string

func (a args) num(name string) (n uint64) {
	fmt.Sscan(a[name], &n)
	return n
}

// command reads what is to be said. Decisions are of the present leader, token and attempt, unless it says otherwise.
func (p *play) command(d *datadriven.TestData) *queuepb.Command {
	a := args{}
	for _, x := range d.CmdArgs {
		a[x.Key] = strings.Join(x.Vals, ",")
	}
	c := &queuepb.Command{Session: 1, Seq: p.at, Member: 1}
	job, device := a.num("job"), a.num("device")
	drive := p.Drive(device)
	attempt := a.num("attempt")
	if _, said := a["attempt"]; !said && drive.Work != nil {
		attempt = drive.Work.Attempt
	}
	token, term := drive.Token, p.epoch
	if said, ok := a["token"]; ok {
		fmt.Sscanf(said, "%d.%d", &token.Term, &token.Index)
	}
	if n := a.num("tag"); n != 0 {
		term = n
	}
	decision := func(b *queuepb.Command) *queuepb.Command { b.Term = term; return b }
	_, closed := a["closed"]
	switch d.Cmd {
	case "printer":
		var devices []string
		if a["devices"] != "" {
			devices = strings.Split(a["devices"], ",")
		}
		ttl, _ := time.ParseDuration(a["ttl"])
		c.Body = setPrinter(a["name"], &queuepb.PrinterSettings{Devices: devices, InDoubt: a["in_doubt"], Ttl: int64(ttl)}).Body
	case "submit":
		s := submit(a["printer"], uint32(a.num("units")), uint32(a.num("copies")))
		c.Body, c.Payload = s.Body, 1
		s.GetSubmit().Key, s.GetSubmit().Priority = a["key"], uint32(a.num("priority"))
		if chunks := a.num("chunks"); chunks != 0 {
			c.Payload = 0
			s.GetSubmit().Upload, s.GetSubmit().Chunks, s.GetSubmit().Bytes = []byte(a["upload"]), uint32(chunks), a.num("bytes")
		}
	case "chunk":
		c.Payload = uint32(a.num("bytes"))
		c.Body = &queuepb.Command_Chunk{Chunk: &queuepb.Chunk{Upload: []byte(a["upload"]), N: uint32(a.num("n"))}}
	case "cancel":
		c.Body = cancelJob(job).Body
	case "hold":
		c.Body = holdJob(job).Body
	case "release":
		c.Body = releaseJob(job).Body
	case "move":
		_, force := a["force"]
		c.Body = moveJob(job, a["printer"], force).Body
	case "reprint":
		c.Body = reprintJob(job, uint32(a.num("from"))).Body
	case "resolve":
		c.Body = &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{Job: job, Answer: &queuepb.Resolve_Printed{Printed: uint32(a.num("printed"))}}}
	case "adopt":
		c.Body = &queuepb.Command_AdoptPrinter{AdoptPrinter: &queuepb.AdoptPrinter{Name: a["name"]}}
	case "claim":
		return decision(claim(device))
	case "resume":
		mark := &queuepb.Mark{Attempt: attempt, Copy: uint32(a.num("copy")), Page: uint32(a.num("page")), Closed: closed}
		r := resume(device, token, mark, a["epoch"])
		if a["identity"] != "" {
			r.GetResume().Identity = a["identity"]
		}
		return decision(r)
	case "printed":
		return decision(&queuepb.Command{Body: &queuepb.Command_Printed{Printed: &queuepb.Printed{Device: device, Token: token.message(), Attempt: attempt, Units: uint32(a.num("units"))}}})
	case "done":
		_, stopped := a["stopped"]
		return decision(&queuepb.Command{Body: &queuepb.Command_Done{Done: &queuepb.Done{Device: device, Token: token.message(), Attempt: attempt, Units: uint32(a.num("units")), Stopped: stopped}}})
	case "closed":
		return decision(&queuepb.Command{Body: &queuepb.Command_Closed{Closed: &queuepb.Closed{Device: device, Token: token.message(), Attempt: drive.Closing}}})
	case "expire":
		return decision(&queuepb.Command{Body: &queuepb.Command_Expire{Expire: p.Due(p.now, 100)}})
	default:
		p.Fatalf("%s: no such command", d.Cmd)
	}
	return c
}
