package peer_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"printq/http/peer"
	"printq/log"
	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// BenchmarkSlowSync proposes documents of 1 KiB to three members of one process, over loopback, where each sync takes 2 ms
// longer than it does, as on a disk that is no virtual one. It reports jobs per second: go test ./http/peer -run '^$' -bench SlowSync
func BenchmarkSlowSync(b *testing.B) {
	for _, proposers := range []int{16, 256} {
		b.Run(fmt.Sprintf("proposers=%d", proposers), func(b *testing.B) {
			leader := startInProcess(b, func(dir string) log.FS { return slowFS{log.OSDir(dir), 2 * time.Millisecond} })
			document := bytes.Repeat([]byte("x"), 1024)
			sum := sha256.Sum256(document)
			var next atomic.Int64
			var group sync.WaitGroup
			b.ResetTimer()
			for range proposers {
				group.Go(func() {
					for next.Add(1) <= int64(b.N) {
						cmd := &queuepb.Command{Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
							Printer: "p", Bytes: uint64(len(document)), Sha256: sum[:], Format: "text/plain", Units: 1, Copies: 1, Priority: 50,
						}}}
						if _, err := leader.Propose(b.Context(), cmd, document); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}

// slowFS is a directory whose files are synced slowly.
type slowFS struct {
	log.FS
	extra time.Duration
}

func (f slowFS) Create(name string) (log.File, error) { return f.slow(f.FS.Create(name)) }

func (f slowFS) Open(name string) (log.File, error) { return f.slow(f.FS.Open(name)) }

func (f slowFS) slow(file log.File, err error) (log.File, error) {
	if err != nil {
		return nil, err
	}
	return slowFile{file, f.extra}, nil
}

type slowFile struct {
	log.File
	extra time.Duration
}

func (f slowFile) Sync() error {
	time.Sleep(f.extra)
	return f.File.Sync()
}

func (f slowFile) WriteSync(bufs [][]byte, off int64) error {
	time.Sleep(f.extra)
	return f.File.WriteSync(bufs, off)
}

// startInProcess starts three members and returns the one that leads, which has a printer p that is paused.
func startInProcess(b *testing.B, fs func(string) log.FS) *node.Node {
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	b.Cleanup(func() { stop(); group.Wait() })
	list, listeners := map[uint64]string{}, map[uint64]net.Listener{}
	for id := uint64(1); id <= 3; id++ {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		listeners[id], list[id] = l, l.Addr().String()
	}
	dir := b.TempDir()
	var nodes []*node.Node
	for id, addr := range list {
		n, err := node.New(node.Options{
			ID: id, Dir: filepath.Join(dir, fmt.Sprint(id)), Members: list, HTTP: addr, Peer: addr, LogFS: fs, LowDisk: 1,
		})
		if err != nil {
			b.Fatal(err)
		}
		transport, err := peer.New(peer.Options{ID: id, Listener: listeners[id], Advertise: addr, Logger: slog.New(slog.DiscardHandler)}, n)
		if err != nil {
			b.Fatal(err)
		}
		group.Go(func() { _ = transport.Run(ctx) })
		group.Go(func() {
			if err := n.Run(ctx, transport, idleDriver{}); err != nil {
				b.Error(err)
			}
		})
		nodes = append(nodes, n)
	}
	return leaderOf(b, nodes)
}

func leaderOf(b *testing.B, nodes []*node.Node) *node.Node {
	for {
		for _, n := range nodes {
			status := n.Cluster()
			if n.Ready() != nil || status.Leader != status.ID {
				continue
			}
			for _, cmd := range []*queuepb.Command{
				{Body: &queuepb.Command_SetPrinter{SetPrinter: &queuepb.SetPrinter{Name: "p", Settings: &queuepb.PrinterSettings{Devices: []string{"tray:/p"}}}}},
				{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: "p"}}},
			} {
				if _, err := n.Propose(b.Context(), cmd, nil); err != nil {
					b.Fatal(err)
				}
			}
			return n
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// idleDriver prints nothing.
type idleDriver struct{}

func (idleDriver) Lead(context.Context, uint64, []queue.Drive) {}
func (idleDriver) Changed([]queue.Drive)                       {}
func (idleDriver) Finish(context.Context) error                { return nil }
