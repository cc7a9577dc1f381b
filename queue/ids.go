package queue

// LastJob is the id of the newest job; 0: there was none yet. Ids are dense, in log order.
func (s *State) LastJob() uint64 { return s.nextJob - 1 }

// FirstJob is the id of the oldest job there is; LastJob()+1 where there is none. Jobs leave for good, so it only grows, and
// each id that has left is passed once.
func (s *State) FirstJob() uint64 {
	for s.firstJob < s.nextJob && !s.HasJob(s.firstJob) {
		s.firstJob++
	}
	return s.firstJob
}

// HasJob reports whether the job exists, live or finished, without reading its record.
func (s *State) HasJob(id uint64) bool {
	if j := s.jobs.get(id); j != nil {
		return !j.gone
	}
	return s.ended.byID[id] != nil
}
