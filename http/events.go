package http

import (
	"bytes"
	nethttp "net/http"
	"sort"

	"printq/http/api"
	"printq/queue"
)

// linesAtOnce is how many lines are read from the node at a time.
const linesAtOnce = 512

// events answers with the lines about one job, from its submit to the entry that last changed it (to the newest line while
// it is live), as NDJSON. Lines are in the order of their index, so the submit is found by halving; where lines were trimmed
// it begins with the oldest kept. Void commands about a job that has ended are in /v1/log only.
func (s *Server) events(w *response, r *nethttp.Request) error {
	job, err := s.findJob(w, r, parseQuery(r, "consistency"))
	if err != nil {
		return err
	}
	seq, err := s.seqOf(job.Submitted.GetIndex())
	if err != nil {
		return err
	}
	w.Header()["Content-Type"] = []string{api.TypeNDJSON}
	w.Header()["Cache-Control"] = noStore
	ended := queue.JobState(job.State).Ended()
	var out []byte
	for last := s.node.Stats().Lines; seq <= last; {
		lines, err := s.node.Lines(seq, linesAtOnce)
		if err != nil || len(lines) == 0 {
			return s.trimmed(err)
		}
		out = out[:0]
		for _, line := range lines {
			if ended && lineIndex(line.JSON) > job.Changed {
				last = 0
				break
			}
			if line.Job == job.Id {
				out = append(append(out, line.JSON...), '\n')
			}
		}
		seq = lines[len(lines)-1].Seq + 1
		if err := r.Context().Err(); err != nil {
			return errGone
		}
		if _, err := w.Write(out); err != nil {
			return errGone
		}
	}
	return nil
}

// seqOf is the seq of the first line kept whose entry is at index or after it.
func (s *Server) seqOf(index uint64) (uint64, error) {
	stats := s.node.Stats()
	oldest := max(stats.OldestLine, 1)
	var failed error
	n := sort.Search(int(stats.Lines+1-min(oldest, stats.Lines+1)), func(n int) bool {
		lines, err := s.node.Lines(oldest+uint64(n), 1)
		if err != nil {
			failed = err
		}
		return err != nil || len(lines) == 0 || lineIndex(lines[0].JSON) >= index
	})
	if failed != nil {
		return 0, s.trimmed(failed)
	}
	return oldest + uint64(n), nil
}

// lineIndex is the index in a line, which stands right after its seq; 0 where there is none.
func lineIndex(line []byte) (index uint64) {
	_, rest, _ := bytes.Cut(line, []byte(`"index":`))
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		index = index*10 + uint64(c-'0')
	}
	return index
}
