package queue

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"printq/queue/queuepb"
)

// An unseen answer is one that a client may not have got: its connection broke, or nobody knows yet. A client that lost the
// answer to its document may make another job of it (CUPS's backend does, and it sends no key): an equal job that comes
// while the answer is unseen may be that, and is held. Which answers were seen only a member can tell, by its connections.
type unseen struct {
	record
	job   uint64
	print [32]byte // what makes two jobs equal
	until int64
	index uint64
}

func (u *unseen) bucket() Bucket { return Unseen }
func (u *unseen) key() []byte    { return number(u.job) }
func (u *unseen) number() uint64 { return u.job }

func (u *unseen) encode() []byte {
	return marshal(&queuepb.Unseen{Job: u.job, Print: u.print[:], Until: u.until, Index: u.index})
}

// unseens are the unseen answers, by what makes jobs equal (of equal ones, the newest), by job, and in the order of time.
type unseens struct {
	byPrint map[[32]byte]*unseen
	byJob   map[uint64]*unseen
	all     fifo[*unseen]
}

func (x *unseens) add(u *unseen) {
	x.byPrint[u.print], x.byJob[u.job] = u, u
	x.all.push(u)
}

// likeness is what is the same for a job and one that its client made of the same wish.
func (j *job) likeness() [32]byte {
	b := make([]byte, 0, 256)
	for _, s := range []string{j.printer.name, j.user, j.name, string(j.sha256[:])} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	b = binary.AppendUvarint(b, j.bytes)
	b = binary.AppendUvarint(b, uint64(j.copies))
	for _, o := range j.wishList() {
		for _, s := range []string{o.Name, o.Value} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
	}
	return sha256.Sum256(b)
}

// expectSeen notes that the answer about a job is on its way, and gives the job that it may be a duplicate of; 0: none.
func (t *turn) expectSeen(j *job, lasts int64) (duplicateOf uint64) {
	if lasts == 0 {
		return 0
	}
	t.pruneUnseen()
	u := &unseen{job: j.id, print: j.likeness(), until: t.time + lasts, index: t.entry.Index}
	if old := t.unseen.byPrint[u.print]; old != nil {
		if old.until > t.time && t.mayHavePrinted(old.job) {
			duplicateOf = old.job
		}
		t.dropUnseen(old)
	}
	t.unseen.add(u)
	t.touch(u)
	return duplicateOf
}

// mayHavePrinted reports whether a job prints, has, or will: what was canceled or aborted is printed again for a reason.
func (t *turn) mayHavePrinted(id uint64) bool {
	j := t.find(id)
	return j == nil || j.state != Canceled && j.state != Aborted
}

// pruneUnseen forgets the answers whose time is over, and the oldest where there are too many.
func (t *turn) pruneUnseen() {
	for {
		var oldest *unseen
		for oldest = range t.unseen.all.all() {
			break
		}
		if oldest == nil || oldest.until > t.time && len(t.unseen.byJob) < MaxUnseen {
			return
		}
		t.dropUnseen(oldest)
	}
}

func (t *turn) dropUnseen(u *unseen) {
	if t.unseen.byPrint[u.print] == u {
		delete(t.unseen.byPrint, u.print)
	}
	delete(t.unseen.byJob, u.job)
	t.unseen.all.remove(u.job)
	t.erase(u)
}

// seen notes which answers clients have got.
func (t *turn) seen(m *queuepb.Seen) error {
	if len(m.Jobs) > MaxSeen {
		return fmt.Errorf("%w: %d jobs seen at once, at most %d", ErrInvalid, len(m.Jobs), MaxSeen)
	}
	var jobs []uint64
	for _, id := range m.Jobs {
		if u := t.unseen.byJob[id]; u != nil {
			t.dropUnseen(u)
			jobs = append(jobs, id)
		}
	}
	if jobs != nil {
		t.begin("seen", "", 0)
		t.ids("jobs", jobs)
		t.end()
	}
	return nil
}
