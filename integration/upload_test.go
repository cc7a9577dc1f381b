package integration

import (
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestBigUpload sends large files through a follower, and kills the leader when half of each has been sent.
func TestBigUpload(t *testing.T) {
	notShort(t, "it writes a large file several times")
	t.Parallel()
	sizes := []int64{64 << 20}
	if long() {
		sizes = []int64{500_000_000, 1 << 30}
	}
	ctx := within(t, 90*time.Second)
	c := startCluster(ctx, t)
	c.printer(ctx, "office", "")
	for i, size := range sizes {
		d := pdfLike("office", "large.pdf", size, uint64(i))
		leader := c.leader(ctx)
		follower := c.others(leader)[0]
		killed := time.Time{}
		half := &halfway{at: size / 2, then: func() {
			c.checkMemory(leader)
			c.kill(leader)
			killed = time.Now()
		}}
		r := d.request()
		r.body, r.patience = half.watch(d.data), 5*time.Minute
		began := time.Now()
		c.mustSubmitAs(ctx, follower, d, r)
		t.Logf("%d MB through member %d acknowledged after %v, %v after member %d was killed; sent %d times, %s",
			size/1e6, follower.id, since(began), since(killed), leader.id, half.opened, strings.Join(follower.doubtful(), "; "))
		c.start(leader)
		c.ready(ctx, leader)
		c.settle(ctx, c.acknowledged())
		t.Logf("out after %v", since(began))
	}
	c.audit(ctx)
	c.checkMemory(c.members...)
}

// A halfway does something once, when so many bytes of a body have been read.
type halfway struct {
	at     int64
	then   func()
	opened int
}

func (h *halfway) watch(b body) body {
	return body{b.size, func() (io.ReadCloser, error) {
		h.opened++
		r, err := b.open()
		return &watched{r, h, 0}, err
	}}
}

type watched struct {
	io.ReadCloser
	half *halfway
	read int64
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if w.read += int64(n); w.read >= w.half.at && w.half.then != nil {
		then := w.half.then
		w.half.then = nil
		then()
	}
	return n, err
}

// checkMemory checks how much memory the members' processes have held at most, where the system tells.
func (c *cluster) checkMemory(members ...*member) {
	const most = 300 << 10 // KiB
	for _, m := range members {
		peak, ok := m.peakMemory()
		if !ok {
			return
		}
		c.t.Logf("member %d held at most %d MiB", m.id, peak>>10)
		if peak > most {
			c.t.Errorf("member %d held %d KiB of memory, more than %d", m.id, peak, most)
		}
	}
}

// peakMemory is VmHWM of /proc, in KiB.
func (m *member) peakMemory() (kib int, ok bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(m.process.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kib, err = strconv.Atoi(fields[1])
			return kib, err == nil
		}
	}
	return 0, false
}
