package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"time"

	"printq/http/api"
)

// A member is a place in the cluster: its addresses and its data, whether a process runs there or not.
type member struct {
	id         int
	addr, peer string   // for clients, and for the other members
	front      string   // of the proxy before peer; empty: there is none
	dir        string   // of its data
	output     string   // a file: what its processes said, one after the other
	args       []string // of serve, for this member only
	*client             // of this member only
	// The last one; nil before the first.
	process *process
	// The test ended it, or told it to end.
	told bool
}

// reached is where the other members reach it.
func (m *member) reached() string { return cmp.Or(m.front, m.peer) }

// health is the status of /readyz; 0: no answer.
func (m *member) health(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	resp, err := m.send(ctx, m.addr, &request{method: http.MethodGet, path: "/readyz"})
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// status is the cluster as the member sees it; nil: no answer.
func (m *member) status(ctx context.Context) *api.Cluster {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, b, err := m.try(ctx, m.addr, &request{method: http.MethodGet, path: "/v1/cluster"})
	v := new(api.Cluster)
	if err != nil || json.Unmarshal(b, v) != nil {
		return nil
	}
	return v
}

// terminate tells it to end in good order; it does not wait.
func (m *member) terminate(s os.Signal) {
	m.told = true
	m.process.signal(s)
}

// tailOf is the last lines of a file.
func tailOf(path string, lines int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.SplitAfter(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "")
}
