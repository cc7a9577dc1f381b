package queue

// A jobHeap is a heap of jobs that knows where each of them lies, so that any can leave in O(log n), and that can be walked from
// the front without being changed.
//
// A job that waits among a million is in no cache. So what sorts them lies beside them, to be compared without a look at the jobs, and
// each node has many children, so that few jobs are moved and told their new slots.
type jobHeap struct {
	list []keyed
	key  func(*job) sortKey // must not change while the job is here
	slot func(*job) *int32  // holds the index in list plus one; 0: not here
}

// heapChildren is how many children a node has: a thousand jobs are five levels, not ten.
const heapChildren = 8

// A sortKey says who is before whom: the lower class, or else the lower number, or else the older job.
type sortKey struct {
	class  uint8
	number uint64
}

type keyed struct {
	sortKey
	*job
}

func (a keyed) before(b keyed) bool {
	switch {
	case a.class != b.class:
		return a.class < b.class
	case a.number != b.number:
		return a.number < b.number
	}
	return a.id < b.id
}

// byTurn is the order in which jobs of a printer start.
func byTurn(j *job) sortKey { return sortKey{^j.priority, j.place()} }

// byDeadline is the order in which jobs run out of time.
func byDeadline(j *job) sortKey { return sortKey{number: moment(j.deadline())} }

// moment keeps the order of times, also of those before 1970.
func moment(nanos int64) uint64 { return uint64(nanos) ^ 1<<63 }

// before reports whether a comes before b, whether they are here or not.
func (h *jobHeap) before(a, b *job) bool { return h.keyed(a).before(h.keyed(b)) }

func (h *jobHeap) keyed(j *job) keyed { return keyed{h.key(j), j} }

func turnSlot(j *job) *int32     { return &j.turnSlot }
func deadlineSlot(j *job) *int32 { return &j.deadlineSlot }

func (h *jobHeap) put(i int, x keyed) {
	h.list[i] = x
	*h.slot(x.job) = int32(i) + 1
}

func (h *jobHeap) push(j *job) {
	h.list = append(h.list, keyed{})
	h.up(len(h.list)-1, h.keyed(j))
}

// remove takes j out, if it is here.
func (h *jobHeap) remove(j *job) {
	slot := h.slot(j)
	if *slot == 0 {
		return
	}
	i, end := int(*slot)-1, len(h.list)-1
	last := h.list[end]
	h.list[end] = keyed{}
	h.list = h.list[:end]
	*slot = 0
	switch {
	case i == end:
	case i > 0 && last.before(h.list[(i-1)/heapChildren]):
		h.up(i, last)
	default:
		h.down(i, last)
	}
}

func (h *jobHeap) up(i int, x keyed) {
	for i > 0 && x.before(h.list[(i-1)/heapChildren]) {
		h.put(i, h.list[(i-1)/heapChildren])
		i = (i - 1) / heapChildren
	}
	h.put(i, x)
}

func (h *jobHeap) down(i int, x keyed) {
	for {
		first := heapChildren*i + 1
		if first >= len(h.list) {
			break
		}
		c := first
		for k := first + 1; k < min(first+heapChildren, len(h.list)); k++ {
			if h.list[k].before(h.list[c]) {
				c = k
			}
		}
		if !h.list[c].before(x) {
			break
		}
		h.put(i, h.list[c])
		i = c
	}
	h.put(i, x)
}

// first is the job whose turn it is; nil if there is none.
func (h *jobHeap) first() *job {
	if len(h.list) == 0 {
		return nil
	}
	return h.list[0].job
}

// walk visits at most limit jobs that satisfy in, which must hold for every job before one that it holds for. It costs no
// more than what it visits.
func (h *jobHeap) walk(limit int, in func(*job) bool, visit func(*job)) {
	for stack := []int{0}; len(stack) > 0 && limit > 0; {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if i >= len(h.list) || !in(h.list[i].job) {
			continue
		}
		visit(h.list[i].job)
		limit--
		for c := heapChildren; c > 0; c-- {
			stack = append(stack, heapChildren*i+c)
		}
	}
}
