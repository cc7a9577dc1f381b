package integration

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// givenAddrs are not given again: their members may be down, while another test looks for a place for its own.
var givenAddrs sync.Map

// freeAddrs finds free ports on loopback, below those that the system gives to outgoing connections: so that none is taken
// while its member is down.
func freeAddrs(t *testing.T, n int) []string {
	t.Helper()
	const low, high, tries = 12_000, 20_000, 500
	var addrs []string
	for range tries {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(low+rand.IntN(high-low))))
		if err != nil {
			continue
		}
		defer l.Close() // when all are found, so that none is found twice
		if _, given := givenAddrs.LoadOrStore(l.Addr().String(), true); given {
			continue
		}
		if addrs = append(addrs, l.Addr().String()); len(addrs) == n {
			return addrs
		}
	}
	t.Fatalf("found %d of %d free ports from %d to %d", len(addrs), n, low, high)
	return nil
}
