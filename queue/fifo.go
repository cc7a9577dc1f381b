package queue

import "iter"

// A fifo is a queue in the order of time from which any element may leave: one that is not at the front only once those
// before it have left. N tells the elements apart.
type fifo[T interface{ number() uint64 }] struct {
	list  []T
	start int
	left  map[uint64]bool // behind the front, and to be skipped
}

func (f *fifo[T]) push(x T) { f.list = append(f.list, x) }

func (f *fifo[T]) remove(n uint64) {
	if f.left == nil {
		f.left = make(map[uint64]bool)
	}
	f.left[n] = true
	var zero T
	for f.start < len(f.list) && f.left[f.list[f.start].number()] {
		delete(f.left, f.list[f.start].number())
		f.list[f.start] = zero
		f.start++
	}
	if f.start > 1024 && f.start > len(f.list)/2 {
		f.list = append([]T(nil), f.list[f.start:]...)
		f.start = 0
	}
}

// all yields the elements from the oldest on.
func (f *fifo[T]) all() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, x := range f.list[f.start:] {
			if !f.left[x.number()] && !yield(x) {
				return
			}
		}
	}
}
