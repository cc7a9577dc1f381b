package queue

// LastJob is the id of the newest job; 0: there was none yet. Ids are dense, in log order.
func (s *State) LastJob() uint64 { return s.nextJob - 1 }

// HasJob reports whether the job exists, live or finished, without reading its record.
func (s *State) HasJob(id uint64) bool {
	if j := s.jobs[id]; j != nil {
		return !j.gone
	}
	return s.ended.byID[id] != nil
}
