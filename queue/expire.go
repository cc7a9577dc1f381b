package queue

import (
	"fmt"

	"printq/queue/queuepb"
)

// expire carries out what the leader found due, as far as it is by state time.
func (t *turn) expire(m *queuepb.Expire) error {
	for _, id := range m.Ttl {
		if j := t.jobs.get(id); j != nil && j.deadlineSlot != 0 && !j.incoming() && t.over(j.submitted.time, j.ttl) {
			t.to(j, Aborted, reasonTTL)
			t.begin("expire", j.printer.name, j.id)
			t.str("state", j.state.String())
			t.str("reason", j.reason)
			t.end()
		}
	}
	t.expireOpen(m.Open)
	uploads := t.expireUploads(m.Uploads)
	documents := t.expireDocuments(m.Documents)
	jobs := t.expireFinished(m.Finished)
	keys := t.expireKeys(m.Keys)
	sessions := t.expireSessions(m.Sessions)
	subscriptions := t.expireSubscriptions(m.Subscriptions)
	if uploads+keys+sessions == 0 && len(documents)+len(jobs)+len(subscriptions) == 0 {
		return nil
	}
	t.begin("expire", "", 0)
	t.opt("uploads", uploads)
	t.ids("documents", documents)
	t.ids("finished", jobs)
	t.opt("keys", keys)
	t.opt("sessions", sessions)
	t.ids("subscriptions", subscriptions)
	t.end()
	return nil
}

func (t *turn) expireUploads(ids [][]byte) (n uint64) {
	for _, id := range ids {
		u := t.uploads[string(id)]
		if u == nil || !t.over(u.touched, int64(UploadIdle)) {
			continue
		}
		for _, x := range u.chunks {
			if x.Length != 0 {
				t.result.Release = append(t.result.Release, x)
			}
		}
		t.dropUpload(u)
		n++
	}
	return n
}

// expireDocuments lets go of documents that were kept for reprint.
func (t *turn) expireDocuments(ids []uint64) (done []uint64) {
	for _, id := range ids {
		f := t.ended.byID[id]
		if f == nil || f.document == nil || !t.over(f.ended, t.keep(f.printer)) {
			continue
		}
		j := t.past(id)
		if j == nil {
			return done
		}
		t.result.Release = append(t.result.Release, t.ended.letGo(f)...)
		j.document, j.documentGone = jobDocument{}, true
		t.jobs.put(j)
		t.changed(j)
		done = append(done, id)
	}
	return done
}

// expireFinished lets ended jobs go.
func (t *turn) expireFinished(ids []uint64) (done []uint64) {
	for _, id := range ids {
		f := t.ended.byID[id]
		if f == nil || !t.over(f.ended, t.retention(f.printer)) && len(t.ended.byID) <= MaxFinished {
			continue
		}
		t.result.Release = append(t.result.Release, t.ended.letGo(f)...)
		t.ended.remove(f)
		t.leave(f)
		done = append(done, id)
	}
	return done
}

// leave takes away the record of an ended job. It is not read for that: thousands leave at once, and the store is slow.
func (t *turn) leave(f *finished) {
	j := t.jobs.get(f.id)
	if j == nil {
		j = &job{id: f.id, state: Completed, record: record{sum: f.sum, stored: rankOf(Finished)}}
		t.jobs.put(j)
	}
	t.changed(j)
	t.erase(j)
}

// past finds an ended job that must be there.
func (t *turn) past(id uint64) *job {
	j := t.find(id)
	if j == nil && t.broken == nil {
		t.broken = fmt.Errorf("job %d has ended, and the view does not have it", id)
	}
	return j
}

func (t *turn) expireKeys(keys []string) (n uint64) {
	for _, key := range keys {
		if t.liveKeys[key] != nil {
			continue
		}
		k := t.usedKey(key)
		if k == nil || !t.over(k.ended, int64(KeyRetain)) && t.keys <= MaxKeys {
			continue
		}
		t.dropKey(k)
		n++
	}
	return n
}

func (t *turn) expireSessions(ids []uint64) (n uint64) {
	for _, id := range ids {
		if s := t.sessions[id]; s != nil && t.over(s.touched, int64(SessionIdle)) {
			t.forget(s)
			n++
		}
	}
	return n
}
