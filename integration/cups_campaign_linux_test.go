package integration

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"printq/http/api"
	"printq/queue"
)

// A cupsCampaign is people who print through CUPS while members die. CUPS sends no key: what it sends again after a broken connection
// is another job to anybody who looks at requests alone.
type cupsCampaign struct {
	*cluster
	cups *scheduler
	// HOST:PORT in the URI of each queue.
	at       func(queue int) string
	printers []string
	queues   []string

	mu   sync.Mutex
	sent []*document // that lp accepted; guarded by mu
}

// TestCUPSCampaign: a hundred people print through several queues of a CUPS scheduler, each queue before another member, and
// members die in turn. Each document comes out once, and none that a member took is lost. What CUPS sent twice is held as a
// possible duplicate of a job that printed; a job whose document broke off stays without one, and CUPS sends another
// (docs/decisions/025-broken-documents.md).
//
// With PRINTQ_LONG=1 it is 1,000 jobs: minutes.
func TestCUPSCampaign(t *testing.T) {
	notShort(t, "members die while CUPS prints")
	jobs, atOnce, queues := 100, 10, 9
	if long() {
		jobs, queues = 1000, 15
	}
	ctx := within(t, 90*time.Second)
	c := startCluster(ctx, t)
	g := &cupsCampaign{cluster: c, cups: startCUPS(ctx, t, c.nursery), at: func(queue int) string { return c.members[queue%size].addr }}
	g.run(ctx, jobs, atOnce, queues)
}

// TestCUPSOneName: CUPS's queues name one host, which is all members' addresses. It is printed as in TestCUPSCampaign, while at least two
// members are up; which one CUPS sends to is its own choice, and another one when that has died. With PRINTQ_LONG=1 it is 1,000 jobs.
func TestCUPSOneName(t *testing.T) {
	notShort(t, "members die while CUPS prints")
	jobs := 60
	if long() {
		jobs = 1000
	}
	ctx := within(t, 90*time.Second)
	const name = "printers.test"
	c := newCluster(t, "--host", name)
	_, port, _ := net.SplitHostPort(freeAddrs(t, 1)[0])
	hosts := "127.0.0.1 localhost\n"
	for i, m := range c.members {
		ip := fmt.Sprintf("127.0.0.%d", 1+i)
		hosts += ip + " " + name + "\n"
		m.addr = net.JoinHostPort(ip, port)
		m.client = newClient(m.addr)
	}
	c.client = c.clientOf(c.members...)
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte(hosts), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.nursery.mount(file, "/etc/hosts", "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("a name cannot be given to the members here, which takes root: %v", err)
	}
	c.start(c.members...)
	c.ready(ctx, c.members...)
	g := &cupsCampaign{cluster: c, cups: startCUPS(ctx, t, c.nursery), at: func(int) string { return net.JoinHostPort(name, port) }}
	g.run(ctx, jobs, 6, 6)
}

// run prints jobs, so many at once, through so many queues, and judges.
func (g *cupsCampaign) run(ctx context.Context, jobs, atOnce, queues int) {
	g.t.Helper()
	g.setUp(ctx, queues)
	began := time.Now()
	people, printing := errgroup.WithContext(ctx)
	people.SetLimit(atOnce)
	deaths, stop := context.WithCancel(ctx)
	defer stop()
	var kills int
	died := make(chan struct{})
	go func() {
		defer close(died)
		kills = g.dying(deaths)
	}()
	for n := range jobs {
		people.Go(func() error { return g.print(printing, n) })
	}
	if err := people.Wait(); err != nil {
		g.t.Error(err)
	}
	accepted := since(began)
	// Members go on dying until CUPS has sent all.
	enabled := 0
	until(ctx, g.t, "CUPS has sent every job", func() bool {
		breathe(ctx, 100*time.Millisecond)
		enabled += g.enable(ctx)
		return g.cups.idle(ctx)
	})
	stop()
	<-died
	g.ready(ctx, g.members...)
	g.settled(ctx)
	g.t.Logf("%d jobs of 100 people through %d queues, accepted in %v, printed after %v; %d members killed; CUPS stopped a queue %d times, and somebody enabled it",
		len(g.sent), queues, accepted, since(began), kills, enabled)
	g.judge(ctx)
	g.compareLogs(ctx)
}

func (g *cupsCampaign) setUp(ctx context.Context, queues int) {
	g.printers = []string{"office", "ward", "store"}
	for _, p := range g.printers {
		g.printer(ctx, p, "?delay=2ms")
	}
	for i := range queues {
		name := fmt.Sprintf("q%d", i)
		uri := fmt.Sprintf("ipp://%s/ipp/print/%s", g.at(i), g.printers[i/size%len(g.printers)])
		g.cups.do(ctx, "lpadmin", "-p", name, "-E", "-v", uri)
		g.queues = append(g.queues, name)
	}
}

// print is one person's lp.
func (g *cupsCampaign) print(ctx context.Context, n int) error {
	queue := n % len(g.queues)
	d := textOf(g.printers[queue/size%len(g.printers)], fmt.Sprintf("letter %d", n), 1+n%4, 1)
	path := g.cups.file("letter.txt", readBody(g.t, d.data))
	if _, err := g.cups.try(ctx, "lp", "-d", g.queues[queue], "-U", fmt.Sprintf("user%d", n%100), "-o", "raw", "-t", d.name, path); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sent = append(g.sent, d)
	return nil
}

// dying kills one member after another, and starts it again, until ctx ends.
func (g *cupsCampaign) dying(ctx context.Context) (kills int) {
	seed := rand.Uint64()
	g.t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := 0; ctx.Err() == nil; i++ {
		m := g.members[i%size]
		breathe(ctx, time.Duration(500+random.IntN(1500))*time.Millisecond)
		if ctx.Err() != nil {
			break
		}
		g.kill(m)
		kills++
		breathe(ctx, time.Duration(100+random.IntN(900))*time.Millisecond)
		g.start(m)
		for ctx.Err() == nil && m.health(ctx) != 200 {
			breathe(ctx, 20*time.Millisecond)
		}
	}
	return kills
}

// enable is what an administrator does: CUPS's backend stops its queue when a member dies between a Create-Job and its answer.
func (g *cupsCampaign) enable(ctx context.Context) (queues int) {
	out, err := g.cups.try(ctx, "lpstat", "-p")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "printer" && strings.Contains(line, " disabled ") {
			if _, err := g.cups.try(ctx, "cupsenable", f[1]); err == nil {
				queues++
			}
		}
	}
	return queues
}

// settled waits until every job has ended, or is held for a person: as a possible duplicate, or for a document that does not come.
func (g *cupsCampaign) settled(ctx context.Context) {
	g.t.Helper()
	until(ctx, g.t, "every job has ended or is held", func() bool {
		for _, p := range g.printers {
			for _, j := range g.jobsOf(ctx, p) {
				if !api.Ended(j.State) && j.State != queue.Held.String() {
					return false
				}
			}
		}
		return true
	})
}

// judge compares the paper with what was sent, by what is written on it.
func (g *cupsCampaign) judge(ctx context.Context) {
	g.t.Helper()
	states := map[string]int{}
	jobs := map[uint64]api.Job{}
	for _, p := range g.printers {
		for _, j := range g.jobsOf(ctx, p) {
			jobs[j.ID] = j
			states[strings.TrimSpace(j.State+" "+j.Reason)]++
		}
	}
	out := map[string][]uint64{} // the jobs that a text came out of, by printer and text
	for printer, sheets := range g.papers() {
		byJob := map[uint64]string{}
		for _, s := range sheets {
			byJob[s.job] += readBody(g.t, s.data)
		}
		for job, text := range byJob {
			out[printer+"\x00"+text] = append(out[printer+"\x00"+text], job)
		}
	}
	lost, doubled := 0, 0
	for _, d := range g.sent {
		key := d.printer + "\x00" + readBody(g.t, d.data)
		switch came := out[key]; {
		case len(came) == 0:
			lost++
			g.t.Errorf("%s at %s did not come out", d.name, d.printer)
		case len(came) > 1:
			doubled++
			g.t.Errorf("%s at %s came out of jobs %v", d.name, d.printer, came)
		}
		delete(out, key)
	}
	for key, came := range out {
		g.t.Errorf("jobs %v: %.100q came out, which nobody sent", came, key)
	}
	for _, j := range jobs {
		if j.State == "held" && j.DuplicateOf == 0 && j.Bytes > 0 {
			g.t.Errorf("job %d is held, %s", j.ID, j.Reason)
		}
		if of := jobs[j.DuplicateOf]; j.DuplicateOf != 0 && (of.State != "completed" || of.SHA256 != j.SHA256) {
			g.t.Errorf("job %d is held as a duplicate of job %d, which is %s", j.ID, of.ID, of.State)
		}
	}
	var counted []string
	for _, s := range slices.Sorted(maps.Keys(states)) {
		counted = append(counted, fmt.Sprintf("%s %d", s, states[s]))
	}
	g.t.Logf("%d lost, %d doubled; printq's jobs: %s", lost, doubled, strings.Join(counted, ", "))
}
