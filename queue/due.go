package queue

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"printq/queue/queuepb"
)

// Due is what the leader should expire at the time now, at most limit of each kind; nil: nothing. It costs no more than
// what it finds, beside a look at each printer, open upload and session.
func (s *State) Due(now time.Time, limit int) *queuepb.Expire {
	at := now.UnixNano()
	over := func(start, lasts int64) bool { return at-start >= lasts }
	m := &queuepb.Expire{}
	s.deadlines.walk(limit, func(j *job) bool { return over(j.submitted.time, j.ttl) }, func(j *job) { m.Ttl = append(m.Ttl, j.id) })
	slices.Sort(m.Ttl)
	for _, u := range s.idleUploads(over) {
		m.Uploads = append(m.Uploads, []byte(u.id))
	}
	for _, p := range s.ended.byPrinter {
		keep, retention := s.keep(p.printer), s.retention(p.printer)
		m.Documents = appendDue(m.Documents, &p.documents, limit, func(f *finished) bool { return over(f.ended, keep) })
		m.Finished = appendDue(m.Finished, &p.jobs, limit, func(f *finished) bool { return over(f.ended, retention) })
	}
	if excess := len(s.ended.byID) - MaxFinished - len(m.Finished); excess > 0 {
		m.Finished = appendDue(m.Finished, &s.ended.all, min(limit, len(m.Finished)+excess), func(*finished) bool { return true })
		slices.Sort(m.Finished)
		m.Finished = slices.Compact(m.Finished)
	}
	excess := s.keys - MaxKeys
	for k := range s.keyEnds.all() {
		if len(m.Keys) >= limit || !over(k.ended, int64(KeyRetain)) && len(m.Keys) >= excess {
			break
		}
		m.Keys = append(m.Keys, k.key)
	}
	for _, id := range slices.Sorted(maps.Keys(s.sessions)) {
		if over(s.sessions[id].touched, int64(SessionIdle)) {
			m.Sessions = append(m.Sessions, id)
		}
	}
	s.opens.walk(limit, func(j *job) bool { return over(j.rare.open, int64(OpenIdle)) }, func(j *job) { m.Open = append(m.Open, j.id) })
	slices.Sort(m.Open)
	m.Subscriptions = s.dueSubscriptions(at)
	if len(m.Open)+len(m.Subscriptions)+len(m.Ttl)+len(m.Uploads)+len(m.Documents)+len(m.Finished)+len(m.Keys)+len(m.Sessions) == 0 {
		return nil
	}
	return m
}

func appendDue(list []uint64, from *fifo[*finished], limit int, due func(*finished) bool) []uint64 {
	for f := range from.all() {
		if len(list) >= limit || !due(f) {
			break
		}
		list = append(list, f.id)
	}
	return list
}

func (s *State) idleUploads(over func(start, lasts int64) bool) (idle []*upload) {
	for _, u := range s.uploads {
		if over(u.touched, int64(UploadIdle)) {
			idle = append(idle, u)
		}
	}
	slices.SortFunc(idle, func(a, b *upload) int { return cmp.Compare(a.id, b.id) })
	return idle
}
