package model

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"printq/queue"
	"printq/queue/queuepb"
)

// Which fields of a record a node's ident has, and which it leaves out: what never changes here, and what no rule looks at. An entry
// that changes only what is left out counts as one without effect, so that a field that is forgotten here hides what it is for.
var fields = []struct {
	record      proto.Message
	named, left string
}{
	{
		&queue.Device{},
		"id token last resumed known recovering stopped adopt epoch closing attempt job class intended sent counts counter base base_pages " +
			"pages remote used out_of_order announced",
		"uri printer identity progress reason detail skips about formats capabilities",
	},
	{
		&queue.Job{},
		"id printer move_to state reason units copies printed start stopping in_doubt device attempts",
		"name user format bytes sha256 pages priority of submitted document key ttl ended document_gone stop_reason changed fingerprint " +
			"options created open hold duplicate_of began place page_ranges part_of parts more",
	},
	{&queuepb.Attempt{}, "number device from outcome remote printed", "token"},
	{&queue.Printer{}, "paused", "name settings reason devices created changed rejecting default description hold_new"},
}

func TestEveryFieldIsNamed(t *testing.T) {
	for _, f := range fields {
		known := strings.Fields(f.named + " " + f.left)
		list := f.record.ProtoReflect().Descriptor().Fields()
		for i := range list.Len() {
			if name := string(list.Get(i).Name()); !slices.Contains(known, name) {
				t.Errorf("%T has a field %s: is it to tell nodes apart?", f.record, name)
			}
		}
		if list.Len() != len(known) {
			t.Errorf("%T has %d fields, %d are listed", f.record, list.Len(), len(known))
		}
	}
}
