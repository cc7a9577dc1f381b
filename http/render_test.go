package http

import (
	"fmt"
	"testing"

	"printq/node"
	"printq/queue"
)

// The devices of a pool stand in the order of its settings, and one that is on its way out after them.
func TestDevicesInOrder(t *testing.T) {
	s := &node.PrinterStatus{
		Printer: &queue.Printer{}, Settings: queue.Settings{Devices: []string{"tray:/b", "tray:/a"}},
		Devices: []*queue.Device{{Id: 1, Uri: "tray:/gone"}, {Id: 2, Uri: "tray:/a"}, {Id: 3, Uri: "tray:/b"}},
	}
	var uris []string
	for _, d := range printerOf(s).Status {
		uris = append(uris, d.URI)
	}
	if got := fmt.Sprint(uris); got != "[tray:/b tray:/a tray:/gone]" {
		t.Error(got)
	}
}

// A printer that only wants toner is not stopped.
func TestWarningStopsNothing(t *testing.T) {
	for reason, want := range map[string]string{"": "idle", "none": "idle", "toner-low-warning": "idle", "media-empty": "stopped"} {
		s := &node.PrinterStatus{Printer: &queue.Printer{}, Devices: []*queue.Device{{Id: 1, Uri: "tray:/a", Reason: reason}}}
		if got := printerOf(s).State; got != want {
			t.Errorf("%q: %s, not %s", reason, got, want)
		}
	}
}
