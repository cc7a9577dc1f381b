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
