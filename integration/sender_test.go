package integration

import (
	"context"
	"strings"

	"printq/integration/paper"
	"printq/printer"
	"printq/printer/device"
)

// senderOf is set in a process that is no test: it prints one document on a device, as a member would, until it is killed.
const senderOf = "PRINTQ_TEST_SENDER"

// sender is what the process does.
func sender(what string) error {
	uri, name, _ := strings.Cut(what, " ")
	opened, err := printer.Open(uri)
	if err != nil {
		return err
	}
	d, document, ctx := opened.(device.Stream), paper.Document{Name: name, Pages: 60}, context.Background()
	state, err := d.Open(ctx, device.Opening{})
	if err != nil {
		return err
	}
	job := textJob(1, document.Pages)
	if _, err := d.Ready(ctx, job); err != nil {
		return err
	}
	for sent := 0; sent < document.Pages; {
		next := sent
		s, err := d.Send(ctx, device.Window{Job: job, From: sent, To: min(sent+state.Window, document.Pages), Next: func(context.Context) (device.Piece, error) {
			next++
			text := document.Page(next) + "\f"
			return device.Piece{Size: int64(len(text)), Body: strings.NewReader(text)}, nil
		}})
		if err != nil {
			return err
		}
		sent = s.Out
	}
	return nil
}
