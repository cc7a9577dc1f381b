package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"printq/integration/bench/client"
	"printq/integration/bench/load"
)

// prints are about paper, which the peers have none of.
func prints() []row {
	return []row{
		{
			name: "page", title: "from the submit to the page in the tray, idle cluster, p50", unit: "ms", fewer: true, only: []string{printq},
			leaves: true, bars: []bar{{limit: 5}},
			measure: func(ctx context.Context, c *cluster, o options) (sample, error) { return c.pages(ctx, o.duration) },
		},
		trayRow("tray", "jobs of one page, until they are out, through one tray, 64 clients", 1, 64, 500),
		trayRow("trays", "the same through 100 trays, 400 clients", 100, 400, 4000),
	}
}

// trayRow keeps clients waiting until their jobs have ended, so that no more jobs come than go.
func trayRow(name, title string, trays, clients int, least float64) row {
	return row{
		name: name, title: title, unit: "jobs/s", only: []string{printq}, leaves: true, bars: []bar{{limit: least}},
		measure: func(ctx context.Context, c *cluster, o options) (s sample, err error) {
			if err := c.setPrinters(ctx, trays, false); err != nil {
				return s, err
			}
			r, err := c.drive(ctx, o.put(load.Work{Clients: clients, Size: kib, Wait: true}))
			if err != nil {
				return s, err
			}
			return c.sample(r, float64(r.Documents)/r.Seconds), nil
		},
	}
}

// pages prints one job after the other, each when the cluster has come to rest.
func (c *cluster) pages(ctx context.Context, duration time.Duration) (s sample, err error) {
	if err := c.setPrinters(ctx, 1, false); err != nil {
		return s, err
	}
	customer, err := client.Open(load.Work{Endpoints: c.endpoints(), Printers: c.printers, Clients: members})
	if err != nil {
		return s, err
	}
	defer customer.Close()
	paper := &ledger{path: filepath.Join(c.tray(0), "ledger.ndjson")}
	var took []float64
	for n, until := uint64(1), time.Now().Add(duration); time.Now().Before(until); n++ {
		began := time.Now()
		if err := customer.Put(ctx, int(n%members), n, [][]byte{[]byte("one page of text\n")}); err != nil {
			return s, err
		}
		if err := paper.await(ctx, int(n)); err != nil {
			return s, err
		}
		if n > 5 { // the first ones open the tray, and the connections
			took = append(took, float64(time.Since(began).Microseconds())/1000)
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return s, err
		}
	}
	slices.Sort(took)
	s = sample{p50: load.Quantile(took, 0.50), p99: load.Quantile(took, 0.99), memory: c.peak()}
	s.value = s.p50
	return s, nil
}

// A ledger counts the pages of a tray as its lines come (printer/tray says what they are). A line of a leader whose time was over
// would be counted as well: here leaders stay.
type ledger struct {
	path  string
	file  *os.File
	pages int
}

// await looks again and again until there are so many pages.
func (l *ledger) await(ctx context.Context, pages int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		if err := l.read(); err != nil {
			return err
		}
		if l.pages >= pages {
			return nil
		}
		if err := sleep(ctx, 50*time.Microsecond); err != nil {
			return fmt.Errorf("wait for page %d in %s: %w", pages, l.path, err)
		}
	}
}

func (l *ledger) read() (err error) {
	if l.file == nil {
		l.file, err = os.Open(l.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	text, err := io.ReadAll(l.file)
	l.pages += bytes.Count(text, []byte(`"page":`))
	return err
}
