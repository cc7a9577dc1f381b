package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/queue"
)

// A cluster is born once:
//
//	each member   draws a nonce, keeps it in BOOTSTRAP, and tells it to whoever probes, with the list of members it was given
//	the lowest    waits until every member of the list has answered that it is empty and was given the same list; then
//	              it draws the cluster's id and writes its manifest, with the nonces of all: the birth record
//	the others    wait until a member shows them a birth record in which their own nonce stands under their id
//
// So a member whose disk was emptied later is refused: its new nonce is in no record. (If it came back as if nothing had
// happened, it could vote a second time in a term and undo what it had acknowledged.)

// firstPosition is where every log begins, as if it had been compacted there: the configuration of a bootstrap is in no
// entry, so a member that replayed from entry 1 would not know it.
var firstPosition = Position{Index: 1, Term: 1}

// A probe asks a member what it knows before there is a cluster; the answer says so.
type probe struct {
	Member  uint64            `json:"member"`
	Nonce   string            `json:"nonce"`
	Members map[uint64]string `json:"members"`
	// Set once the member has a manifest.
	Cluster string `json:"cluster,omitempty"`
	Birth   *birth `json:"birth,omitempty"`
}

// ErrWiped: the data directory was emptied after the cluster was born.
var ErrWiped = errors.New("this member's data directory was emptied")

// ErrMembers: the members were not given the same --cluster list.
var ErrMembers = errors.New("members disagree on --cluster")

// bootstrap makes the member that d is the directory of, or says why not.
func (n *Node) bootstrap(ctx context.Context, d *dir) (*manifest, error) {
	self, err := n.newborn(d)
	if err != nil {
		return nil, err
	}
	n.setProbe(self)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		m, waiting, err := n.tryBirth(ctx, self)
		if err != nil {
			return nil, err
		}
		if m != nil {
			if err := writeBirth(d, m); err != nil {
				return nil, fmt.Errorf("write first state: %w", err)
			}
			return m, nil
		}
		n.setWaiting(waiting)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

func checkList(id uint64, members map[uint64]string) error {
	if len(members) == 0 {
		return errors.New("the data directory is empty, and no --cluster says who is to form the cluster: " +
			"give all members the same list, such as --cluster 1=HOST:8632,2=HOST:8632,3=HOST:8632 (a list of one makes a cluster of one)")
	}
	if _, ok := members[id]; !ok {
		return fmt.Errorf("member %d is not in --cluster: its list must name this member too", id)
	}
	seen := map[string]uint64{}
	for _, m := range slices.Sorted(maps.Keys(members)) {
		if _, _, err := net.SplitHostPort(members[m]); err != nil || m == 0 {
			return fmt.Errorf("--cluster: member %d at %q: want ID=HOST:PORT with an id from 1", m, members[m])
		}
		if other, twice := seen[members[m]]; twice {
			return fmt.Errorf("--cluster: members %d and %d have the same address %s", other, m, members[m])
		}
		seen[members[m]] = m
	}
	return nil
}

// newborn reads the nonce of an attempt that was interrupted, or draws one.
func (n *Node) newborn(d *dir) (*probe, error) {
	self := &probe{Member: n.cfg.ID, Members: n.cfg.Members}
	b, err := os.ReadFile(d.file("BOOTSTRAP"))
	if err == nil {
		old := new(probe)
		if err := json.Unmarshal(b, old); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", d.file("BOOTSTRAP"), err)
		}
		if old.Member != n.cfg.ID {
			return nil, fmt.Errorf("data directory %s belongs to member %d, not %d: give --data another directory", d.path, old.Member, n.cfg.ID)
		}
		self.Nonce = old.Nonce
		return self, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	self.Nonce = randomHex(16)
	return self, d.writeJSON("BOOTSTRAP", self)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func randomHex(bytes int) string { return hex.EncodeToString(randomBytes(bytes)) }

// tryBirth asks all members once. It returns the manifest to write, or what it waits for.
func (n *Node) tryBirth(ctx context.Context, self *probe) (m *manifest, waiting string, err error) {
	answers, silent := n.probeAll(ctx, self)
	return self.decide(answers, silent)
}

// decide is what comes of asking: a manifest, or what to wait for.
func (p *probe) decide(answers map[uint64]*probe, silent []string) (m *manifest, waiting string, err error) {
	nonces := map[uint64]string{p.Member: p.Nonce}
	for _, id := range slices.Sorted(maps.Keys(answers)) {
		a := answers[id]
		if a.Member != id {
			return nil, "", fmt.Errorf("%w: %s is member %d, not %d", ErrMembers, p.Members[id], a.Member, id)
		}
		if a.Birth != nil {
			return adopt(p, a)
		}
		if !maps.Equal(a.Members, p.Members) {
			return nil, fmt.Sprintf("member %d was given another --cluster list (%s; ours is %s): start all with the same one",
				id, list(a.Members), list(p.Members)), nil
		}
		nonces[id] = a.Nonce
	}
	if len(silent) > 0 {
		return nil, "waiting to hear from " + strings.Join(silent, ", ") + " to form the cluster", nil
	}
	if lowest := slices.Min(slices.Collect(maps.Keys(p.Members))); lowest != p.Member {
		return nil, fmt.Sprintf("waiting for member %d to form the cluster", lowest), nil
	}
	return &manifest{
		Format: manifestFormat, Cluster: randomHex(8), Member: p.Member,
		Birth: birth{Members: p.Members, Nonces: nonces},
	}, "", nil
}

// adopt takes up another member's birth record, if it is ours too.
func adopt(self, other *probe) (*manifest, string, error) {
	if nonce, ok := other.Birth.Nonces[self.Member]; !ok {
		return nil, "", fmt.Errorf("cluster %s was formed without member %d: its members are %s", other.Cluster, self.Member, list(other.Birth.Members))
	} else if nonce != self.Nonce {
		return nil, "", fmt.Errorf("%w, and cluster %s is at work: a member that has forgotten what it promised must not vote under its old id. "+
			"If the old directory still exists, start with it; if not, this member has to be replaced by one with a new id", ErrWiped, other.Cluster)
	}
	return &manifest{Format: manifestFormat, Cluster: other.Cluster, Member: self.Member, Birth: *other.Birth}, "", nil
}

func list(members map[uint64]string) string {
	var items []string
	for _, id := range slices.Sorted(maps.Keys(members)) {
		items = append(items, fmt.Sprintf("%d=%s", id, members[id]))
	}
	return strings.Join(items, ",")
}

func (n *Node) probeAll(ctx context.Context, self *probe) (answers map[uint64]*probe, silent []string) {
	question := self.encode()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	type answer struct {
		id uint64
		p  *probe
	}
	ids := slices.Sorted(maps.Keys(self.Members))
	heard := make(chan answer, len(ids))
	for _, id := range ids {
		go func() {
			heard <- answer{id, n.hear(ctx, id, self, question)}
		}()
	}
	answers = map[uint64]*probe{}
	for range ids {
		if a := <-heard; a.p != nil {
			answers[a.id] = a.p
		}
	}
	return answers, self.silent(answers)
}

// hear asks one member; nil: it does not answer.
func (n *Node) hear(ctx context.Context, id uint64, self *probe, question []byte) *probe {
	if id == self.Member {
		return self
	}
	b, err := n.transport.Probe(ctx, self.Members[id], question)
	if err != nil {
		return nil
	}
	p, err := decodeProbe(b)
	if err != nil {
		return nil
	}
	return p
}

func (p *probe) silent(answers map[uint64]*probe) (silent []string) {
	for _, id := range slices.Sorted(maps.Keys(p.Members)) {
		if answers[id] == nil {
			silent = append(silent, fmt.Sprintf("member %d (%s)", id, p.Members[id]))
		}
	}
	return silent
}

// writeBirth writes the first generation and then, as the commit point, the manifest.
func writeBirth(d *dir, m *manifest) error {
	if err := d.sweep(m.Generation); err != nil {
		return err
	}
	if err := os.RemoveAll(d.logs(m.Generation)); err != nil {
		return err
	}
	if err := os.Remove(d.state(m.Generation)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	store, err := openStore(d.state(m.Generation))
	if err != nil {
		return err
	}
	if err := errors.Join(store.Commit(firstBatch(m.Cluster, slices.Sorted(maps.Keys(m.Birth.Members)))), store.Close()); err != nil {
		return err
	}
	if err := os.Mkdir(d.logs(m.Generation), 0o700); err != nil {
		return err
	}
	if err := syncDir(d.path); err != nil {
		return err
	}
	return d.writeManifest(m)
}

// firstBatch is the store of a member that has applied nothing: the same on every member of the cluster.
func firstBatch(cluster string, voters []uint64) *Batch {
	return &Batch{
		Head: Head{
			Applied: firstPosition,
			Conf:    &raftpb.ConfState{Voters: voters},
			Base:    log.Base{Index: firstPosition.Index, Term: firstPosition.Term},
		},
		Changes: queue.New(cluster).Drain(),
	}
}

// ServeProbe answers a member that wants to form a cluster with us, also before there is one.
func (n *Node) ServeProbe(_ context.Context, _ []byte) ([]byte, error) {
	n.mu.Lock()
	p := n.probe
	n.mu.Unlock()
	if p == nil {
		return nil, fmt.Errorf("member %d is starting", n.cfg.ID)
	}
	return p.encode(), nil
}

// ErrOtherCluster: the members that --cluster names are of another cluster than the data directory.
var ErrOtherCluster = errors.New("the data directory is another cluster's")

// checkCluster asks the members that were named on the command line, once and briefly, which cluster they are of. They
// would refuse us for good; better to say so before anything is touched.
func (n *Node) checkCluster(ctx context.Context, m *manifest) error {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	answers, _ := n.probeAll(ctx, &probe{Member: n.cfg.ID, Members: n.cfg.Members, Cluster: m.Cluster})
	for _, id := range slices.Sorted(maps.Keys(answers)) {
		if theirs := answers[id].Cluster; theirs != "" && theirs != m.Cluster {
			return fmt.Errorf("%w: %s is of cluster %s, member %d at %s of cluster %s: give --data or --cluster the right one",
				ErrOtherCluster, n.cfg.Dir, m.Cluster, id, n.cfg.Members[id], theirs)
		}
	}
	return nil
}
