package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"printq/http/api"
)

// newPrintq builds the program, unless one is given.
func newPrintq(ctx context.Context, program, dir string) (*system, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if program == "" {
		program = filepath.Join(dir, "printq")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "printq/cmd/printq").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build printq: %w: %s", err, out)
		}
	}
	version, err := exec.CommandContext(ctx, program, "version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s version: %w", program, err)
	}
	return &system{
		name: "printq", version: strings.TrimSpace(string(version)), generator: []string{self, generate}, ports: 2,
		ready: func(ctx context.Context, c *cluster) error {
			for _, addr := range c.endpoints() {
				if err := healthy(ctx, "http://"+addr+"/readyz", ""); err != nil {
					return err
				}
			}
			return nil
		},
		command: func(c *cluster, i int) []string {
			var peers []string
			for k, a := range c.addrs {
				peers = append(peers, fmt.Sprintf("%d=%s", k+1, a[1]))
			}
			return []string{
				program, "serve", "--id", strconv.Itoa(i + 1), "--data", filepath.Join(c.dir, strconv.Itoa(i+1)), "--http", c.addrs[i][0],
				"--peer", c.addrs[i][1], "--cluster", strings.Join(peers, ","), "--exit-with-stdin",
			}
		},
	}, nil
}

// setPrinters makes printers with a tray each, paused or not.
func (c *cluster) setPrinters(ctx context.Context, n int, paused bool) error {
	for i := range n {
		name := fmt.Sprintf("bench-%d", i+1)
		settings, err := json.Marshal(api.PrinterSettings{Device: "tray:" + filepath.ToSlash(c.tray(i))})
		if err != nil {
			return err
		}
		if err := c.call(ctx, http.MethodPut, "/v1/printers/"+name, settings); err != nil {
			return err
		}
		if paused {
			if err := c.call(ctx, http.MethodPost, "/v1/printers/"+name+"/pause", []byte("{}")); err != nil {
				return err
			}
		}
		c.printers = append(c.printers, name)
	}
	return nil
}

// tray is the folder of printer i, from 0.
func (c *cluster) tray(i int) string { return filepath.Join(c.dir, fmt.Sprintf("tray-%d", i+1)) }

// call asks the first member.
func (c *cluster) call(ctx context.Context, method, path string, in []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+c.addrs[0][0]+path, bytes.NewReader(in))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	return expect(r, "")
}

// healthy asks once.
func healthy(ctx context.Context, url, want string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return expect(r, want)
}

// expect is an error where the answer is not one of the 200s, or does not hold a text.
func expect(r *http.Request, want string) error {
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 || !bytes.Contains(text, []byte(want)) {
		return fmt.Errorf("%s %s: %s: %.200s", r.Method, r.URL, resp.Status, text)
	}
	return nil
}
