package integration

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"printq/http/api"
	"printq/integration/emulator"
	"printq/integration/paper"
)

// TestFleet has many printers at one cluster, a third of which are dead in different ways: the others print on as if those were not there, each
// dead one says why, and when nothing prints the members do next to nothing.
func TestFleet(t *testing.T) {
	notShort(t, "many printers, and quiet times that are measured")
	good, dead, quiet, away, most := 60, 30, 5*time.Second, time.Second, 10.0
	if long() {
		good, dead, quiet, away, most = 200, 100, 30*time.Second, time.Minute, 3
	}
	ctx := within(t, 100*time.Second)
	c := startCluster(ctx, t)
	c.rest(ctx, "no printers", quiet, 2)
	alone := c.round(ctx, "alone", fleet(t, good, 0))
	c.rest(ctx, fmt.Sprintf("%d printers", good), quiet, 3)
	presses := fleet(t, good, dead)
	began := time.Now()
	for _, p := range presses {
		p.make(ctx, c)
	}
	until(ctx, t, "every dead printer says why", func() bool { return c.silent(ctx) == dead })
	t.Logf("%d dead printers say why %v after they were made", dead, since(began))
	beside := c.round(ctx, "beside the dead", presses[:good])
	t.Logf("%d printers, 3 jobs of 5 pages each: %v alone, %v beside %d dead ones", good, alone, beside, dead)
	if beside > 2*alone+2*time.Second {
		t.Errorf("the dead hold up the others: %v instead of %v", beside, alone)
	}
	c.rest(ctx, fmt.Sprintf("%d dead printers, often tried at first", dead), 5*time.Second, 10)
	breathe(ctx, away)
	c.rest(ctx, fmt.Sprintf("%d dead printers, %v later", dead, away), quiet, most)
	c.compareLogs(ctx)
}

// rest measures what each member costs while nothing is to be done, in percent of a core: no more than most. Nor may anything be proposed.
func (c *cluster) rest(ctx context.Context, what string, quiet time.Duration, most float64) {
	c.t.Helper()
	before, applied := c.burdens(), c.applied(ctx, nil)
	breathe(ctx, quiet)
	var all []string
	for i, after := range c.burdens() {
		share := 100 * (after.cpu - before[i].cpu).Seconds() / quiet.Seconds()
		all = append(all, fmt.Sprintf("%.1f %% and %d MiB", share, after.rss>>20))
		if share > most {
			c.t.Errorf("at rest with %s member %d needs %.1f %% of a core", what, i+1, share)
		}
		if grown := after.rss - before[i].rss; grown > 32<<20 {
			c.t.Errorf("member %d has grown by %d MiB while nothing printed", i+1, grown>>20)
		}
	}
	n := c.applied(ctx, nil) - applied
	c.t.Logf("at rest for %v with %s: %s; %d entries", quiet, what, strings.Join(all, ", "), n)
	if n > 2 {
		c.t.Errorf("%d entries while nothing was to be done", n)
	}
}

// fleet is so many printers that print, and then so many that do not.
func fleet(t *testing.T, good, dead int) (presses []*press) {
	for n := range good {
		p := socketPress(t, fmt.Sprintf("good-%d-%d", dead, n), "", emulator.Options{PageTime: 20 * time.Millisecond}, true)
		presses = append(presses, p)
	}
	for n := range dead {
		presses = append(presses, deadPress(t, n))
	}
	return presses
}

// deadPress is dead in one of several ways.
func deadPress(t *testing.T, n int) *press {
	p := &press{name: fmt.Sprintf("dead-%d", n)}
	options := "?pjl=on&timeout=1s&probe=1s"
	switch n % 5 {
	case 0: // nobody listens
		p.uri = "socket://" + freeAddrs(t, 1)[0] + options
	case 1: // it hangs
		jet := emulator.NewJetDirect(emulator.Options{})
		jet.Hang(true)
		p.uri = "socket://" + served(t, jet) + options
	case 2: // it ends its side at once
		p.uri = "socket://" + served(t, emulator.NewJetDirect(emulator.Options{HalfCloses: true})) + options
	case 3: // it talks, and not PJL
		p.uri = "socket://" + babbler(t) + options
	default: // it answers when nobody waits any more
		p.uri = "socket://" + served(t, emulator.NewJetDirect(emulator.Options{Delay: 20 * time.Second})) + options
	}
	return p
}

func served(t *testing.T, jet *emulator.JetDirect) string {
	t.Cleanup(func() { jet.Close() })
	addr, err := jet.Start()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// babbler writes without end what is no answer.
func babbler(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				for {
					if _, err := conn.Write(bytes.Repeat([]byte("\x00garbage\r\n"), 50)); err != nil {
						return
					}
					<-tick.C
				}
			})
		}
	})
	t.Cleanup(func() { ln.Close(); all.Wait() })
	return ln.Addr().String()
}

// silent is how many printers say of a device that it does not print, and why.
func (c *cluster) silent(ctx context.Context) (n int) {
	c.t.Helper()
	var v api.Printers
	if err := c.call(ctx, http.MethodGet, "/v1/printers", nil, &v); err != nil {
		c.t.Fatal(err)
	}
	for _, p := range v.Printers {
		for _, d := range p.Status {
			if d.Reason != "" && d.Detail != "" && strings.HasPrefix(p.Name, "dead-") {
				n++
			}
		}
	}
	return n
}

// round has each printer print three jobs, and says how long that took for all of them.
func (c *cluster) round(ctx context.Context, what string, presses []*press) time.Duration {
	c.t.Helper()
	for _, p := range presses {
		p.make(ctx, c)
	}
	began := time.Now()
	group, sending := errgroup.WithContext(ctx)
	for i := range 8 {
		group.Go(func() error {
			for n := i; n < len(presses); n += 8 {
				if err := presses[n].sendThree(sending, c, what); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		c.t.Fatal(err)
	}
	for _, p := range presses {
		if held := p.settle(ctx, c); len(held) > 0 {
			c.t.Errorf("%s: %d jobs are held", p.name, len(held))
		}
	}
	took := time.Since(began).Round(time.Millisecond)
	for _, p := range presses {
		if tally, _ := p.verdict(p.pages()); !tally.Perfect() {
			c.t.Errorf("%s: %v", p.name, tally)
		}
	}
	return took
}

func (p *press) sendThree(ctx context.Context, c *cluster, what string) error {
	for n := range 3 {
		d := paper.Document{Name: fmt.Sprintf("%s %s %d", p.name, what, n), Pages: 5}
		sent := textOf(p.name, d.Name, d.Pages, 1)
		sent.data = inMemory(d.Text())
		if _, err := sent.send(ctx, c.client); err != nil {
			return err
		}
		p.documents, p.jobs = append(p.documents, d), append(p.jobs, sent.job)
	}
	return nil
}

// A burden is what a process costs.
type burden struct {
	cpu time.Duration
	rss int64
}

func (c *cluster) burdens() (all []burden) {
	c.t.Helper()
	for _, m := range c.members {
		all = append(all, burdenOf(c.t, m.process))
	}
	return all
}

func burdenOf(t *testing.T, p *process) (b burden) {
	t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const utime, stime, tick = 11, 12, 10 * time.Millisecond // counted from the state, which follows the name
	for _, i := range []int{utime, stime} {
		n, _ := strconv.Atoi(fields[i])
		b.cpu += time.Duration(n) * tick
	}
	b.rss = rssOf(t, dir)
	return b
}

// rssOf is what a process has in memory that is its own.
func rssOf(t *testing.T, dir string) int64 {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "status"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "RssAnon:")
	var kib int64
	if _, err := fmt.Sscan(after, &kib); err != nil {
		t.Fatalf("%s: no RssAnon: %v", dir, err)
	}
	return kib << 10
}
