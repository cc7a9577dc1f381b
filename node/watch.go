package node

// A jobWatch waits until a job changes in an entry after an index.
type jobWatch struct {
	job   uint64
	ready chan struct{}
}

// Watch returns a channel that is closed when the job next changes; where it has changed after the index already, at once.
func (c *Core) Watch(job, index uint64) *jobWatch {
	w := &jobWatch{job: job, ready: make(chan struct{})}
	if j, err := c.queue.Job(job, view{c}); err == nil && j != nil && j.GetChanged() > index {
		close(w.ready)
		return w
	}
	c.watchers[job] = append(c.watchers[job], w)
	c.beHeard()
	return w
}

// beHeard tells the others at once that somebody here waits for what they do.
func (c *Core) beHeard() {
	if c.quiet {
		c.tellStatus()
	}
}

// Unwatch ends a watch.
func (c *Core) Unwatch(w *jobWatch) {
	left := c.watchers[w.job]
	for i, x := range left {
		if x == w {
			left = append(left[:i], left[i+1:]...)
			break
		}
	}
	if len(left) == 0 {
		delete(c.watchers, w.job)
	} else {
		c.watchers[w.job] = left
	}
}

func (c *Core) wake(jobs []uint64) {
	if len(c.watchers) == 0 {
		return
	}
	for _, id := range jobs {
		for _, w := range c.watchers[id] {
			close(w.ready)
		}
		delete(c.watchers, id)
	}
}

func (c *Core) wakeAll() {
	for id, watchers := range c.watchers {
		for _, w := range watchers {
			close(w.ready)
		}
		delete(c.watchers, id)
	}
}
