package integration

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/zeroconf/v2"
)

// TestAdvertise looks for a printer as a phone does, with another implementation of DNS-SD: it is the leader's, and the next
// leader's when that one is killed, under the same name and UUID; and the name of the host that is told is one that the server
// answers to.
func TestAdvertise(t *testing.T) {
	notShort(t, "two elections, and the seconds that announcing takes")
	ctx := within(t, 60*time.Second)
	on := loopback(t)
	c := newCluster(t, "--advertise")
	encrypted := map[*member]string{}
	for i, addr := range freeAddrs(t, size) {
		c.members[i].args = []string{"--ipps", addr}
		encrypted[c.members[i]] = addr
	}
	c.start(c.members...)
	c.ready(ctx, c.members...)
	name := fmt.Sprintf("printq-test-%d", time.Now().UnixNano())
	c.printer(ctx, name, "")
	leader := c.leader(ctx)
	first := c.advertisedBy(ctx, on, name, leader)
	until(ctx, t, "it is advertised for clients that encrypt, too", func() bool {
		return slices.ContainsFunc(browse(ctx, t, on, "_ipps._tcp,_universal"), func(e *zeroconf.ServiceEntry) bool {
			return e.Instance == name && strings.HasSuffix(encrypted[leader], fmt.Sprintf(":%d", e.Port)) && uuidOf(e) == uuidOf(first)
		})
	})
	c.kill(leader)
	next := c.leaderAmong(ctx, c.others(leader)...)
	killed := time.Now()
	second := c.advertisedBy(ctx, on, name, next)
	t.Logf("member %d is known to have taken over %v after it leads", next.id, since(killed))
	if uuid := uuidOf(first); uuid == "" || uuid != uuidOf(second) || first.HostName == second.HostName {
		t.Errorf("before %+v, after %+v", first, second)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+next.addr+"/v1/printers/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = fmt.Sprintf("%s:%d", strings.TrimSuffix(second.HostName, "."), second.Port)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("asked as %s, the member says %s", r.Host, resp.Status)
	}
	c.start(leader)
	c.audit(ctx)
}

// advertisedBy waits until the printer is found at a member's port.
func (c *cluster) advertisedBy(ctx context.Context, on net.Interface, name string, m *member) (found *zeroconf.ServiceEntry) {
	c.t.Helper()
	until(ctx, c.t, fmt.Sprintf("%s is advertised by member %d", name, m.id), func() bool {
		for _, e := range browse(ctx, c.t, on, "_ipp._tcp,_universal") {
			if e.Instance == name && strings.HasSuffix(m.addr, fmt.Sprintf(":%d", e.Port)) {
				found = e
			}
		}
		return found != nil
	})
	return found
}

// browse asks once what there is of a service.
func browse(ctx context.Context, t *testing.T, on net.Interface, service string) (all []*zeroconf.ServiceEntry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	entries, done := make(chan *zeroconf.ServiceEntry, 16), make(chan error, 1)
	go func() {
		done <- zeroconf.Browse(ctx, service, "local.", entries, zeroconf.SelectIfaces([]net.Interface{on}), zeroconf.SelectIPTraffic(zeroconf.IPv4))
	}()
	for e := range entries {
		all = append(all, e)
	}
	if err := <-done; err != nil {
		t.Skipf("multicast does not work on loopback here: %v", err)
	}
	return all
}

// loopback is its interface. The test is skipped where multicast does not come back on it: what the other implementation
// registers must be found by itself.
func loopback(t *testing.T) net.Interface {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(interfaces, func(i net.Interface) bool { return i.Flags&net.FlagLoopback != 0 && i.Flags&net.FlagUp != 0 })
	if i < 0 {
		t.Skip("there is no loopback interface")
	}
	on := interfaces[i]
	s, err := zeroconf.RegisterProxy("probe", "_printq-test._tcp", "local.", 1, "probe.local.", []string{"127.0.0.1"}, nil, []net.Interface{on})
	if err != nil {
		t.Skipf("multicast does not work on loopback here: %v", err)
	}
	defer s.Shutdown()
	for range 10 {
		if len(browse(t.Context(), t, on, "_printq-test._tcp")) > 0 {
			return on
		}
	}
	t.Skip("what is multicast on loopback does not come back here")
	return on
}

func uuidOf(e *zeroconf.ServiceEntry) string {
	i := slices.IndexFunc(e.Text, func(s string) bool { return strings.HasPrefix(s, "UUID=") })
	if i < 0 {
		return ""
	}
	return e.Text[i]
}
