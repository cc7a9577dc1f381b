package dnssd

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/zeroconf/v2"

	"printq/node"
	"printq/queue"
)

// A member is as much of one as advertising needs.
type member struct {
	id uint64

	mu       sync.Mutex
	leader   uint64
	printers []string
}

func (m *member) Cluster() node.ClusterStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	return node.ClusterStatus{ID: m.id, Leader: m.leader}
}

func (m *member) Printers() (list []node.PrinterStatus, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range m.printers {
		list = append(list, node.PrinterStatus{Printer: &queue.Printer{Name: name}})
	}
	return list, nil
}

func (m *member) elect(leader uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leader = leader
}

func describe(p *node.PrinterStatus, host string, _ bool) Printer {
	return Printer{p.Name, []string{"txtvers=1", "adminurl=http://" + host, "UUID=uuid-of-" + p.Name}}
}

// advertise runs an advertiser on loopback; stop ends it and waits.
func advertise(t *testing.T, m *member, port uint16) (stop func()) {
	t.Helper()
	a, err := New(Options{
		Node: m, Describe: describe, Addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port),
		Host: fmt.Sprintf("test-%d", port), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Skipf("multicast does not work on loopback here: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- a.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// loopback is its interface. The test is skipped where multicast does not come back on it.
func loopback(t *testing.T) net.Interface {
	t.Helper()
	links, err := linksOf(netip.MustParseAddr("127.0.0.1"), "a.local.")
	if err != nil {
		t.Skip(err)
	}
	s, err := openSocket(links)
	if err != nil {
		t.Skipf("multicast does not work on loopback here: %v", err)
	}
	defer s.Close()
	m := response(newService(Printer{Name: rand.Text()}, "_test._tcp", "a.local.", 1).records...)
	if err := s.send(packet{link: links[0].index, msg: m}); err != nil {
		t.Skipf("multicast does not work on loopback here: %v", err)
	}
	s.SetReadDeadline(time.Now().Add(2 * time.Second))
	for buf := make([]byte, 9000); ; {
		p, err := s.receive(buf)
		if err != nil {
			t.Skipf("what is multicast on loopback does not come back here: %v", err)
		}
		if len(p.msg.Answer) > 0 && p.msg.Answer[0].String() == m.Answer[0].String() {
			return net.Interface{Index: links[0].index}
		}
	}
}

// browse looks for an instance with another implementation, until one is found that is as wanted.
func browse(t *testing.T, on net.Interface, service, instance string, wanted func(*zeroconf.ServiceEntry) bool) *zeroconf.ServiceEntry {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		// It asks once, and again only after four seconds: ask anew instead.
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		entries, done := make(chan *zeroconf.ServiceEntry, 100), make(chan error, 1)
		go func() {
			done <- zeroconf.Browse(ctx, service, "local.", entries, zeroconf.SelectIfaces([]net.Interface{on}), zeroconf.SelectIPTraffic(zeroconf.IPv4))
		}()
		var found *zeroconf.ServiceEntry
		for e := range entries {
			if e.Instance == instance && wanted(e) {
				found = e
				cancel()
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if found != nil {
			return found
		}
	}
	t.Fatalf("%s is not found as %s", instance, service)
	return nil
}

// TestBrowse: what is advertised is found by another implementation, by its type and by its subtypes, under the host of the
// member that leads.
func TestBrowse(t *testing.T) {
	on := loopback(t)
	name := "printq-test-" + strings.ToLower(rand.Text()[:8])
	a, b := &member{id: 1, leader: 1, printers: []string{name}}, &member{id: 2, leader: 1, printers: []string{name}}
	stopA := advertise(t, a, 18631)
	advertise(t, b, 28631)
	any := func(*zeroconf.ServiceEntry) bool { return true }
	for _, service := range []string{"_ipp._tcp", "_ipp._tcp,_universal", "_ipp._tcp,_print"} {
		e := browse(t, on, service, name, any)
		if e.Port != 18631 || e.HostName != "test-18631.local." || len(e.AddrIPv4) != 1 || !e.AddrIPv4[0].IsLoopback() ||
			!slices.Contains(e.Text, "adminurl=http://test-18631.local:18631") {
			t.Errorf("as %s it is %+v", service, e)
		}
	}
	a.elect(2)
	b.elect(2)
	stopA()
	e := browse(t, on, "_ipp._tcp", name, func(e *zeroconf.ServiceEntry) bool { return e.Port == 28631 })
	if e.HostName != "test-28631.local." {
		t.Errorf("%+v", e)
	}
}

func TestHostLabel(t *testing.T) {
	if l := HostLabel(8631); !strings.HasSuffix(l, "-printq-8631") || len(l) > maxLabel || strings.Contains(l, ".") {
		t.Error(l)
	}
}
