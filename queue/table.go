package queue

import "iter"

// A jobTable finds jobs by their ids. These are dense, so a page of them is an array: a map of a million jobs takes three times the
// memory, and finds its place anew for each.
type jobTable struct {
	pages map[uint64]*jobPage // by id / pageJobs
	// The page that was looked at last. nil: none.
	last   *jobPage
	number uint64
	// The number of the newest page, which stays though it is empty: the next job comes there.
	newest uint64
}

const pageJobs = 128

type jobPage struct {
	jobs [pageJobs]*job
	n    int // that are not nil
}

func (x *jobTable) page(id uint64) *jobPage {
	if number := id / pageJobs; x.last == nil || x.number != number {
		p := x.pages[number]
		if p == nil {
			return nil
		}
		x.last, x.number = p, number
	}
	return x.last
}

// get is the job of that id; nil if there is none.
func (x *jobTable) get(id uint64) *job {
	p := x.page(id)
	if p == nil {
		return nil
	}
	return p.jobs[id%pageJobs]
}

func (x *jobTable) put(j *job) {
	p := x.page(j.id)
	if p == nil {
		p = x.add(j.id / pageJobs)
	}
	if p.jobs[j.id%pageJobs] == nil {
		p.n++
	}
	p.jobs[j.id%pageJobs] = j
}

func (x *jobTable) add(number uint64) *jobPage {
	if x.pages == nil {
		x.pages = make(map[uint64]*jobPage)
	}
	p := new(jobPage)
	x.pages[number] = p
	if number > x.newest {
		before := x.newest
		x.newest = number
		x.drop(before)
	}
	return p
}

// drop lets go of a page that holds no job, unless it is the newest.
func (x *jobTable) drop(number uint64) {
	if p := x.pages[number]; p != nil && p.n == 0 && number != x.newest {
		delete(x.pages, number)
		x.last = nil
	}
}

// remove takes out the job of that id, if it is here.
func (x *jobTable) remove(id uint64) {
	p := x.page(id)
	if p == nil || p.jobs[id%pageJobs] == nil {
		return
	}
	p.jobs[id%pageJobs] = nil
	p.n--
	x.drop(id / pageJobs)
}

// all gives the jobs in no order.
func (x *jobTable) all() iter.Seq[*job] {
	return func(yield func(*job) bool) {
		for _, p := range x.pages {
			for _, j := range p.jobs {
				if j != nil && !yield(j) {
					return
				}
			}
		}
	}
}
