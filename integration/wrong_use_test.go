package integration

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWrongUse starts members as they must not be started: each says in one line what is wrong and what to do, and has
// touched nothing.
func TestWrongUse(t *testing.T) {
	ctx := within(t, 60*time.Second)
	c := startCluster(ctx, t)
	down := c.others(c.leader(ctx))[0]
	c.kill(down)
	up := c.others(down)[0]
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	fresh := filepath.Join(c.dir, "fresh")
	cluster := fmt.Sprintf("%d=%s", down.id, down.peer)
	// serve is a command line that is right but for what is changed.
	serve := func(changes ...string) []string {
		args := []string{"serve", "--id", fmt.Sprint(down.id), "--data", fresh, "--http", down.addr, "--peer", down.peer, "--exit-with-stdin"}
		return append(args, changes...)
	}
	for _, u := range []struct {
		name  string
		args  []string
		code  int
		words []string
	}{
		{"the port for clients is taken", serve("--cluster", cluster, "--http", taken.Addr().String()), 1, []string{"--http", "another port"}},
		{"the port for members is taken", serve("--cluster", cluster, "--peer", taken.Addr().String()), 1, []string{"--peer", "another port"}},
		{"the directory of another member", serve("--data", down.dir, "--id", "9"), 1, []string{"--data", "--id"}},
		{"the directory of a member that runs", serve("--data", up.dir), 1, []string{"in use", "--data"}},
		{"an empty directory and no --cluster", serve(), 1, []string{"--cluster"}},
		{"a list without this member", serve("--cluster", "7="+down.peer), 1, []string{"--cluster", "must name this member"}},
		{"a list that is none", serve("--cluster", "host:1"), 2, []string{"--cluster", "ID=HOST:PORT"}},
		{"an unknown flag", serve("--clutser", cluster), 2, []string{"--clutser", "--help"}},
		{"an unknown command", []string{"sevre"}, 2, []string{"sevre", "--help"}},
		{"no --id", []string{"serve", "--data", fresh}, 2, []string{"--id"}},
		{"no --data", []string{"serve", "--id", "1"}, 2, []string{"--data"}},
		{"other hosts could reach it", serve("--cluster", cluster, "--http", "0.0.0.0:0"), 2, []string{"--insecure"}},
		{"the port for raw documents is taken", serve("--cluster", cluster, "--raw", taken.Addr().String()+"=labels"), 1, []string{"--raw", "another port"}},
		{"the port for lpd is taken", serve("--cluster", cluster, "--lpd", taken.Addr().String()), 1, []string{"--lpd", "another port"}},
		{"raw documents for no printer", serve("--cluster", cluster, "--raw", "127.0.0.1:0"), 2, []string{"--raw", "HOST:PORT=PRINTER"}},
		{"raw documents for a printer without a name", serve("--cluster", cluster, "--raw", "127.0.0.1:0="), 2, []string{"--raw", "names no printer"}},
		{"other hosts could send raw documents", serve("--cluster", cluster, "--raw", ":0=labels"), 2, []string{"--raw", "--insecure"}},
		{"other hosts could reach lpd", serve("--cluster", cluster, "--lpd", "0.0.0.0:0"), 2, []string{"--lpd", "--insecure"}},
		{"the port for ipps is taken", serve("--cluster", cluster, "--ipps", taken.Addr().String()), 1, []string{"--ipps", "another port"}},
		{"other hosts could reach ipps", serve("--cluster", cluster, "--ipps", ":0"), 2, []string{"--ipps", "--insecure"}},
		{"a certificate without a key", serve("--cluster", cluster, "--ipps", "127.0.0.1:0", "--tls-cert", "a"), 2, []string{"--tls-cert", "--tls-key"}},
		{"a certificate that is none", serve("--cluster", cluster, "--ipps", "127.0.0.1:0", "--tls-cert", "a", "--tls-key", "b"), 2, []string{"--tls-cert", "no such file"}},
		{"the directory of a member that runs, with ipps", serve("--data", up.dir, "--ipps", "127.0.0.1:0"), 1, []string{"in use", "--data"}},
		{"an empty directory and no --cluster, with ipps", serve("--ipps", "127.0.0.1:0"), 1, []string{"--cluster"}},
		{"documents from no place", serve("--cluster", cluster, "--fetch-from", "docs.example"), 2, []string{"--fetch-from", "http://HOST/FOLDER/"}},
		{"a log level that is none", serve("--cluster", cluster, "--log-level", "loud"), 2, []string{"--log-level"}},
	} {
		t.Run(u.name, func(t *testing.T) {
			before := snapshotOf(t, down.dir)
			wantFailure(t, command(ctx, t, u.args...), u.code, u.words...)
			if _, err := os.Stat(fresh); err == nil {
				t.Errorf("it made %s: %s", fresh, snapshotOf(t, fresh))
				os.RemoveAll(fresh)
			}
			if after := snapshotOf(t, down.dir); after != before {
				t.Errorf("it touched the directory:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
	c.start(down)
	c.audit(ctx)
}

// TestOtherCluster starts a member with the directory of another cluster, whose members had the same addresses.
func TestOtherCluster(t *testing.T) {
	t.Parallel()
	ctx := within(t, 40*time.Second)
	c := startCluster(ctx, t)
	stranger := c.members[2]
	c.kill(c.members...)
	kept := filepath.Join(c.dir, "kept")
	if err := os.Rename(stranger.dir, kept); err != nil {
		t.Fatal(err)
	}
	for _, m := range c.others(stranger) {
		if err := os.RemoveAll(m.dir); err != nil {
			t.Fatal(err)
		}
	}
	c.start(c.members...)
	c.ready(ctx, c.members...)
	c.kill(stranger)
	if err := os.Rename(stranger.dir, stranger.dir+"-own"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(kept, stranger.dir); err != nil {
		t.Fatal(err)
	}
	before := snapshotOf(t, stranger.dir)
	wantFailure(t, command(ctx, t, c.serveArgs(stranger)...), 1, "cluster", "--data")
	if after := snapshotOf(t, stranger.dir); after != before {
		t.Errorf("it touched the directory:\n%s\nbefore:\n%s", after, before)
	}
}

// snapshotOf is the names, sizes and sums of all files below a directory.
func snapshotOf(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %d %x\n", path, len(content), sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
