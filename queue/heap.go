package queue

// A jobHeap is a binary heap of jobs that knows where each of them lies, so that any can leave in O(log n), and that can be
// walked from the front without being changed.
type jobHeap struct {
	jobs   []*job
	before func(a, b *job) bool
	slot   func(*job) *int32 // holds the index in jobs plus one; 0: not here
}

// byTurn is the order in which jobs of a printer start.
func byTurn(a, b *job) bool {
	if a.priority != b.priority {
		return a.priority > b.priority
	}
	if x, y := a.place(), b.place(); x != y {
		return x < y
	}
	return a.id < b.id
}

// byDeadline is the order in which jobs run out of time.
func byDeadline(a, b *job) bool {
	x, y := a.deadline(), b.deadline()
	return x < y || x == y && a.id < b.id
}

func turnSlot(j *job) *int32     { return &j.turnSlot }
func deadlineSlot(j *job) *int32 { return &j.deadlineSlot }

func (h *jobHeap) put(i int, j *job) {
	h.jobs[i] = j
	*h.slot(j) = int32(i) + 1
}

func (h *jobHeap) push(j *job) {
	h.jobs = append(h.jobs, nil)
	h.up(len(h.jobs)-1, j)
}

// remove takes j out, if it is here.
func (h *jobHeap) remove(j *job) {
	slot := h.slot(j)
	if *slot == 0 {
		return
	}
	i, end := int(*slot)-1, len(h.jobs)-1
	last := h.jobs[end]
	h.jobs[end] = nil
	h.jobs = h.jobs[:end]
	*slot = 0
	if last == j {
		return
	}
	if i > 0 && h.before(last, h.jobs[(i-1)/2]) {
		h.up(i, last)
		return
	}
	h.down(i, last)
}

func (h *jobHeap) up(i int, j *job) {
	for i > 0 && h.before(j, h.jobs[(i-1)/2]) {
		h.put(i, h.jobs[(i-1)/2])
		i = (i - 1) / 2
	}
	h.put(i, j)
}

func (h *jobHeap) down(i int, j *job) {
	for {
		c := 2*i + 1
		if c >= len(h.jobs) {
			break
		}
		if c+1 < len(h.jobs) && h.before(h.jobs[c+1], h.jobs[c]) {
			c++
		}
		if !h.before(h.jobs[c], j) {
			break
		}
		h.put(i, h.jobs[c])
		i = c
	}
	h.put(i, j)
}

// first is the job whose turn it is; nil if there is none.
func (h *jobHeap) first() *job {
	if len(h.jobs) == 0 {
		return nil
	}
	return h.jobs[0]
}

// walk visits at most limit jobs that satisfy in, which must hold for every job before one that it holds for. It costs no
// more than what it visits.
func (h *jobHeap) walk(limit int, in func(*job) bool, visit func(*job)) {
	for stack := []int{0}; len(stack) > 0 && limit > 0; {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if i >= len(h.jobs) || !in(h.jobs[i]) {
			continue
		}
		visit(h.jobs[i])
		limit--
		stack = append(stack, 2*i+2, 2*i+1)
	}
}
