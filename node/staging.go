package node

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"printq/log"
	"printq/queue"
)

// A snapshot's stream is
//
//	uvarint length | header as JSON
//	the bytes of state.db
//	for each entry that holds a live document, in order: uvarint length | the entry as protobuf
//
// The transport checks every part of it in transit and marks its end.
type snapshotHeader struct {
	Index      uint64 `json:"index"`
	Term       uint64 `json:"term"`
	StateBytes int64  `json:"state_bytes"`
	Entries    int    `json:"entries"`
	// What the receiver must find in the state it was given.
	Chain  string `json:"chain"`
	Digest uint64 `json:"digest,string"`
}

const maxSnapshotHeader = 4 << 10

// maxEntry bounds an entry: a chunk, packed behind others, with room to spare.
const maxEntry = 8 << 20

// serveSnapshot streams a copy of the store and the entries of its live documents. They stay where they are meanwhile,
// and the store is not held in a transaction for longer than its copying takes.
func (n *Node) serveSnapshot(ctx context.Context, w io.Writer) (err error) {
	if err := n.ask(ctx, (*Core).Pin); err != nil {
		return err
	}
	defer n.post((*Core).Unpin)
	path, err := n.copyState()
	if err != nil {
		return err
	}
	defer os.Remove(path)
	store, err := openStore(path)
	if err != nil {
		return err
	}
	defer store.Close()
	state, err := queue.Load(store.Each)
	if err != nil {
		return err
	}
	return n.sendSnapshot(ctx, w, path, store.Head(), state)
}

func (n *Node) copyState() (path string, err error) {
	f, err := os.CreateTemp(n.cfg.Dir, "state-copy-*.tmp")
	if err != nil {
		return "", err
	}
	n.mu.Lock()
	store := n.store
	n.mu.Unlock()
	if err := errors.Join(store.writeTo(f), f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func (n *Node) sendSnapshot(ctx context.Context, w io.Writer, path string, head Head, state *queue.State) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var indexes []uint64
	for e := range state.Documents() {
		indexes = append(indexes, e.Index)
	}
	slices.Sort(indexes)
	indexes = slices.Compact(indexes)
	chain := state.Chain()
	header, err := json.Marshal(snapshotHeader{
		Index: head.Applied.Index, Term: head.Applied.Term, StateBytes: info.Size(), Entries: len(indexes),
		Chain: hex.EncodeToString(chain[:]), Digest: state.Digest(),
	})
	if err != nil {
		return err
	}
	if _, err := w.Write(append(binary.AppendUvarint(nil, uint64(len(header))), header...)); err != nil {
		return err
	}
	if _, err := io.Copy(w, f); err != nil {
		return err
	}
	lg := n.documents()
	for _, index := range indexes {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e, err := lg.ReadEntry(index)
		if err != nil {
			return fmt.Errorf("entry %d, which holds a live document: %w", index, err)
		}
		b, err := proto.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(binary.AppendUvarint(nil, uint64(len(b))), b...)); err != nil {
			return err
		}
	}
	return nil
}

// staging is a snapshot that was fetched and is not installed yet.
type staging struct {
	mu       sync.Mutex // guards what follows: a fetch fills it, the loop installs or discards it
	manifest *manifest
	meta     *raftpb.SnapshotMetadata
	store    *boltStore
	log      *log.Log
	remove   func()
}

func (s *staging) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.manifest == nil {
		return
	}
	_ = errors.Join(s.log.Close(), s.store.Close())
	s.remove()
	s.manifest, s.meta, s.store, s.log, s.remove = nil, nil, nil, nil, nil
}

// fetchSnapshot stages the next generation: everything but the manifest is on disk and synced when it returns.
func (n *Node) fetchSnapshot(leader uint64) (*raftpb.SnapshotMetadata, error) {
	n.staging.discard()
	stream, err := n.transport.Stream(n.background, leader, []byte{streamSnapshot})
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	n.mu.Lock()
	next := *n.manifest
	n.mu.Unlock()
	next.Generation++
	remove := func() {
		_ = os.Remove(n.dir.state(next.Generation))
		_ = os.RemoveAll(n.dir.logs(next.Generation))
	}
	remove()
	meta, store, lg, err := n.stage(&next, bufio.NewReaderSize(stream, 256<<10))
	if err != nil {
		remove()
		return nil, err
	}
	s := &n.staging
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manifest, s.meta, s.store, s.log, s.remove = &next, meta, store, lg, remove
	return meta, nil
}

func (n *Node) stage(m *manifest, r *bufio.Reader) (*raftpb.SnapshotMetadata, *boltStore, *log.Log, error) {
	h, err := readSnapshotHeader(r)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := writeFile(n.dir.state(m.Generation), io.LimitReader(r, h.StateBytes), h.StateBytes); err != nil {
		return nil, nil, nil, err
	}
	store, err := openStore(n.dir.state(m.Generation))
	if err != nil {
		return nil, nil, nil, err
	}
	lg, err := n.stageEntries(m, h, store, r)
	if err != nil {
		return nil, nil, nil, errors.Join(err, store.Close())
	}
	head := store.Head()
	return &raftpb.SnapshotMetadata{ConfState: head.Conf, Index: &head.Applied.Index, Term: &head.Applied.Term}, store, lg, syncDir(n.cfg.Dir)
}

func readSnapshotHeader(r *bufio.Reader) (h snapshotHeader, err error) {
	size, err := binary.ReadUvarint(r)
	if err != nil || size > maxSnapshotHeader {
		return h, errors.Join(errFrame, err)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return h, err
	}
	return h, json.Unmarshal(b, &h)
}

// stageEntries checks the state, moves its base to where it is applied, and fills a new log with the live documents.
func (n *Node) stageEntries(m *manifest, h snapshotHeader, store *boltStore, r *bufio.Reader) (*log.Log, error) {
	head := store.Head()
	if (head.Applied != Position{Index: h.Index, Term: h.Term}) {
		return nil, fmt.Errorf("the snapshot's state is at %v, its header at %d", head.Applied, h.Index)
	}
	state, err := queue.Load(store.Each)
	if err != nil {
		return nil, err
	}
	if chain := state.Chain(); hex.EncodeToString(chain[:]) != h.Chain || state.Digest() != h.Digest || state.Cluster() != m.Cluster {
		return nil, errors.New("the snapshot's state is not what its header says")
	}
	head.Base = log.Base{Index: h.Index, Term: h.Term}
	if err := store.Commit(&Batch{Head: head}); err != nil {
		return nil, err
	}
	if err := os.Mkdir(n.dir.logs(m.Generation), 0o700); err != nil {
		return nil, err
	}
	lg, err := log.Open(n.cfg.LogFS(n.dir.logs(m.Generation)), head.Base, log.Options{SegmentBytes: n.cfg.SegmentBytes})
	if err != nil {
		return nil, err
	}
	if err := carry(lg, h.Entries, r); err != nil {
		return nil, errors.Join(err, lg.Close())
	}
	return lg, nil
}

func carry(lg *log.Log, entries int, r *bufio.Reader) error {
	w, err := lg.NewCarry()
	if err != nil {
		return err
	}
	for range entries {
		e, err := readEntry(r)
		if err == nil {
			err = w.Add(e)
		}
		if err != nil {
			return errors.Join(err, w.Abort())
		}
	}
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("the snapshot does not end where it should"), err, w.Abort())
	}
	return w.Commit()
}

func readEntry(r *bufio.Reader) (*raftpb.Entry, error) {
	size, err := binary.ReadUvarint(r)
	if err != nil || size > maxEntry {
		return nil, errors.Join(errFrame, err)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	e := new(raftpb.Entry)
	return e, proto.Unmarshal(b, e)
}

func writeFile(path string, r io.Reader, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, r)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// install makes what is staged this member's state: the hard state goes into the new log, and the manifest's rename is the
// commit point. A crash before it leaves the old generation, one after it the new.
func (n *Node) install(meta *raftpb.SnapshotMetadata, hs *raftpb.HardState) error {
	s := &n.staging
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.manifest == nil || s.meta.GetIndex() != meta.GetIndex() {
		return fmt.Errorf("raft took a snapshot at %d that is not staged", meta.GetIndex())
	}
	if err := s.log.Save(hs, nil, true); err != nil {
		return err
	}
	if err := n.dir.writeManifest(s.manifest); err != nil {
		return err
	}
	n.mu.Lock()
	oldLog, oldStore, old := n.log, n.store, n.manifest.Generation
	n.log, n.store, n.manifest = s.log, s.store, s.manifest
	n.mu.Unlock()
	s.manifest, s.meta, s.store, s.log, s.remove = nil, nil, nil, nil, nil
	n.work.Go(func() {
		// Readers of the old generation see an error, and may ask again.
		_ = errors.Join(oldLog.Close(), oldStore.Close(), os.Remove(n.dir.state(old)), os.RemoveAll(n.dir.logs(old)))
	})
	return nil
}
