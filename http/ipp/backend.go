package ipp

import (
	"slices"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
)

// backendAsks is what CUPS's ipp backend asks of the job that it sends, and nobody else, as far as is known (backend/ipp.c, jattrs).
var backendAsks = []string{
	"job-id", "job-impressions-completed", "job-media-sheets-completed", "job-name", "job-originating-user-name", "job-state", "job-state-reasons",
}

// toBackend makes what is said of a job without a document tell CUPS's ipp backend that the document did not come.
//
// When a connection breaks in a Send-Document, libcups leaves the last status as it was, successful-ok of the Create-Job (2.4.2:
// cups/request.c, cupsGetResponse); the backend takes the document for sent, and asks for the job's state. Whatever it hears, it then calls
// its own job completed; but for this: where it need not ask on (the job is held, or has ended) and the answer is server-error-busy, it
// sends the job again from its beginning. While it still sends, its monitor asks the same; that one does not look at the status.
func toBackend(q *request, j *node.JobStatus, a *answer) *answer {
	if !j.Created || j.Bytes != 0 || queue.JobState(j.State) == queue.Canceled || !asksAsBackend(q) {
		return a
	}
	a.status, a.message = goipp.StatusErrorBusy, "the job's document did not come: send the job again"
	return a
}

func asksAsBackend(q *request) bool {
	asked, err := many[goipp.String](q.operation, "requested-attributes", goipp.TagKeyword)
	return err == nil && slices.EqualFunc(asked, backendAsks, func(a goipp.String, b string) bool { return string(a) == b })
}
