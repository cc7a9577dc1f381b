package ipp

import (
	"testing"

	"github.com/OpenPrinting/goipp"
)

// TestBackendSendsAgain: CUPS's ipp backend is told that a document did not come. All others hear of a job that waits for it.
func TestBackendSendsAgain(t *testing.T) {
	f := newFake("office")
	h := handler(t, f)
	id, asked := integers("job-id", 1), keywords("requested-attributes", backendAsks...)
	wantStatus(t, ask(t, h, goipp.OpCreateJob, "office"), goipp.StatusOk)

	told := ask(t, h, goipp.OpGetJobAttributes, "office", id, asked)
	wantStatus(t, told, goipp.StatusErrorBusy)
	// The backend asks on unless the job is held or has ended.
	if state := find(told.Job, "job-state"); state == nil || state.Values[0].V.String() != "4" {
		t.Errorf("job-state: %v", state)
	}
	wantStatus(t, ask(t, h, goipp.OpGetJobAttributes, "office", id), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpGetJobAttributes, "office", id, keywords("requested-attributes", backendAsks[1:]...)), goipp.StatusOk)

	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", id, boolean("last-document", true)), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpGetJobAttributes, "office", id, asked), goipp.StatusOk)
	wantStatus(t, send(t, h, goipp.OpPrintJob, "office", "pages"), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpGetJobAttributes, "office", integers("job-id", 2), asked), goipp.StatusOk)

	wantStatus(t, ask(t, h, goipp.OpCreateJob, "office"), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpCancelJob, "office", integers("job-id", 3)), goipp.StatusOk) // somebody did not want it
	wantStatus(t, ask(t, h, goipp.OpGetJobAttributes, "office", integers("job-id", 3), asked), goipp.StatusOk)
}
