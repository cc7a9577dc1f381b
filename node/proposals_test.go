package node

import (
	"slices"
	"testing"
)

// Labels overtake documents, and of documents so much goes at a time; each kind keeps its order, and nothing is left behind.
func TestLabelsOvertakeDocuments(t *testing.T) {
	const document = 256 << 10
	var q proposals
	for i := range 40 {
		size := document
		if i%4 == 3 {
			size = 100
		}
		q.push(proposal{head: []byte{byte(i)}, payload: make([]byte, size)})
	}
	var labels, documents []byte
	turns := 0
	for ; len(q.waiting) > 0; turns++ {
		now, rest := q.choose()
		bytes := 0
		for _, p := range now {
			bytes += p.size()
			if p.size() > small {
				documents = append(documents, p.head...)
			} else {
				labels = append(labels, p.head...)
				if len(documents) > 0 {
					t.Error("a label goes behind a document")
				}
			}
		}
		if len(now) == 0 || bytes > maxBulk+document+10*200 {
			t.Fatalf("turn %d takes %d proposals of %d bytes", turns, len(now), bytes)
		}
		q.keep(rest)
	}
	if len(labels) != 10 || len(documents) != 30 || !slices.IsSorted(labels) || !slices.IsSorted(documents) {
		t.Errorf("labels %v, documents %v", labels, documents)
	}
	if want := 30 * document / maxBulk; turns < want {
		t.Errorf("all went in %d turns", turns)
	}
}

// Raft holds a bounded number of bytes that are not applied.
func TestProposalsWaitForApplied(t *testing.T) {
	var q proposals
	for range 100 {
		q.push(proposal{payload: make([]byte, 20<<10)})
	}
	q.uncommitted = maxProposed - 50<<10
	now, rest := q.choose()
	if len(now) != 3 || len(now)+len(rest) != 100 {
		t.Errorf("%d go where there is room for less than 3, %d wait", len(now), len(rest))
	}
}
