package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"printq/http/api"
)

// A smallDisk is a file system of a few megabytes that only the members' processes see: it is mounted in the name space of
// the nursery's thread, and goes with it, however the test ends.
type smallDisk struct {
	t       *testing.T
	nursery nursery
	dir     string
}

// mountSmallDisk mounts a disk at dir, or skips the test where this process may not mount.
func mountSmallDisk(t *testing.T, n nursery, dir string, bytes int) *smallDisk {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	d := &smallDisk{t, n, dir}
	if err := n.mount("printq", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("a small disk cannot be mounted here, which takes root: %v", err)
	}
	return d
}

// mount mounts something that only the nursery's processes see.
func (n nursery) mount(source, target, kind string, flags uintptr, data string) error {
	return n.do(func() error {
		if err := syscall.Unshare(syscall.CLONE_NEWNS); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("make mounts private: %w", err)
		}
		return syscall.Mount(source, target, kind, flags, data)
	})
}

// do runs fn where the nursery's processes live.
func (n nursery) do(fn func() error) error {
	done := make(chan error, 1)
	n <- func() { done <- fn() }
	return <-done
}

func (d *smallDisk) filler() string { return filepath.Join(d.dir, "filler") }

// fill takes all space but so many bytes.
func (d *smallDisk) fill(leave uint64) {
	d.t.Helper()
	if err := d.nursery.do(func() error {
		var st syscall.Statfs_t
		if err := syscall.Statfs(d.dir, &st); err != nil {
			return err
		}
		free := st.Bavail * uint64(st.Bsize)
		if free < leave {
			return fmt.Errorf("%d bytes are free, fewer than %d", free, leave)
		}
		f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.Write(make([]byte, free-leave))
		if leave == 0 && errors.Is(err, syscall.ENOSPC) { // the member was faster
			return nil
		}
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *smallDisk) free() {
	d.t.Helper()
	if err := d.nursery.do(func() error { return os.Remove(d.filler()) }); err != nil {
		d.t.Fatal(err)
	}
}

// TestDiskFull fills one member's disk under load. While space is low, it refuses documents and says so, printing goes on,
// and it clears by itself. When there is none at all, it ends with a line that says why, the others go on, and with space
// it comes back as if nothing had been. It is once a follower and once the leader that has none.
func TestDiskFull(t *testing.T) {
	notShort(t, "a disk is filled several times")
	t.Parallel()
	ctx := within(t, 90*time.Second)
	const lowDisk = 24 << 20
	c := newCluster(t, "--low-disk", fmt.Sprint(lowDisk))
	m := c.members[size-1]
	disk := mountSmallDisk(t, c.nursery, m.dir, 256<<20)
	m.dir = filepath.Join(m.dir, "data")
	c.start(c.members...)
	c.ready(ctx, c.members...)
	c.printer(ctx, "office", "")
	c.printer(ctx, "later", "")
	l := c.load(ctx, 4, 20*time.Millisecond, assorted("office"))
	l.acked(ctx, 20)

	c.transfer(ctx, c.members[0])
	disk.fill(lowDisk / 2)
	c.refuses(ctx, m, m)
	l.acked(ctx, 30)
	disk.free()
	c.accepts(ctx, m)

	c.pausePrinter(ctx, "later", true)
	c.submitWaiting(ctx, "before the leader's disk is low")
	c.transfer(ctx, m)
	disk.fill(lowDisk / 2)
	c.refuses(ctx, m, c.members[0])
	waiting := c.acknowledged()
	c.pausePrinter(ctx, "later", false)
	c.settle(ctx, waiting)
	disk.free()
	c.accepts(ctx, c.members[0])
	l.acked(ctx, 30)

	for _, leads := range []bool{false, true} {
		if leads {
			c.transfer(ctx, m)
		} else {
			c.transfer(ctx, c.members[0])
		}
		c.fillUp(ctx, l, m, disk)
	}
	l.stop()
	c.audit(ctx)
}

// refuses waits until the member whose disk it is says that space is low, and expects via to refuse a document clearly:
// that member itself, or another one while that member leads.
func (c *cluster) refuses(ctx context.Context, low, via *member) {
	c.t.Helper()
	until(ctx, c.t, "the member says that space is low", func() bool {
		v := low.status(ctx)
		return v != nil && strings.Contains(strings.Join(v.Alarms, " "), "disk space is low")
	})
	for {
		d := label("office", 0, 500)
		_, b, err := via.try(ctx, via.addr, d.request())
		var p *api.Problem
		if errors.As(err, &p) && p.Status == http.StatusInsufficientStorage && p.Type == api.ProblemDiskFull && p.Outcome == api.OutcomeNone {
			c.t.Logf("member %d: %v", via.id, p)
			return
		}
		if via == low || c.leader(ctx) == low || ctx.Err() != nil {
			c.t.Fatalf("member %d took a document, or refused it in another way: %s %v", via.id, b, err)
		}
		if err := c.submit(ctx, via.client, d); err != nil { // leadership had moved by itself: what was sent counts
			c.t.Fatal(err)
		}
		c.transfer(ctx, low)
	}
}

// accepts waits until the member takes documents again, by itself.
func (c *cluster) accepts(ctx context.Context, via *member) {
	c.t.Helper()
	began := time.Now()
	c.mustSubmit(ctx, via.client, label("office", 1, 500))
	c.t.Logf("member %d took documents again %v after there was space", via.id, since(began))
}

// fillUp leaves the member not a byte, until it ends; and gives it back later.
func (c *cluster) fillUp(ctx context.Context, l *load, m *member, disk *smallDisk) {
	c.t.Helper()
	m.told = true // it may end
	disk.fill(0)
	began := time.Now()
	select {
	case <-m.process.ended:
	case <-ctx.Done():
		c.t.Fatalf("member %d does not end: %s", m.id, c.describe(nil))
	}
	last := tailOf(m.output, 1)
	c.t.Logf("member %d ended %v after its disk was full; it said: %s", m.id, since(began), strings.TrimSpace(last))
	if !strings.HasPrefix(last, "printq: ") || !strings.Contains(last, "no space left on device") {
		c.t.Errorf("member %d does not say why it has ended", m.id)
	}
	l.acked(ctx, 50)
	disk.free()
	c.start(m)
	c.ready(ctx, m)
	l.acked(ctx, 20)
}
