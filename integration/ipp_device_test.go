package integration

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"printq/integration/emulator"
	"printq/printer/device"
	"printq/printer/ipp"
)

// ippDevice is a device for an emulated printer.
func ippDevice(t *testing.T, uri string) *ipp.Printer {
	t.Helper()
	a, err := ipp.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return ipp.New(a, ipp.Options{PollMin: time.Millisecond, PollMax: 20 * time.Millisecond, Patience: 100 * time.Millisecond})
}

const ippText = "one\n\ftwo\n\fthree\n"

func ippSheet(id string) device.Sheet {
	return device.Sheet{
		ID: id, Stop: make(chan struct{}),
		Job: device.Job{
			Cluster: "c", ID: 7, Attempt: 9, Format: "text/plain", Units: 3, Copies: 1, Pages: 3, Bytes: int64(len(ippText)),
		},
		Document: func(context.Context) (device.Piece, int, error) {
			return device.Piece{Size: int64(len(ippText)), Body: strings.NewReader(ippText)}, 1, nil
		},
	}
}

// What the device says of a job is what lies in the emulated printer's tray.
func TestIPPDevice(t *testing.T) {
	t.Parallel()
	printer, err := emulator.NewIPP(emulator.IPPOptions{PageTime: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { printer.Close() })
	uri, err := printer.Start()
	if err != nil {
		t.Fatal(err)
	}
	d := ippDevice(t, uri)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s := ippSheet("")
	id, err := d.Create(ctx, s.Job)
	if err != nil {
		t.Fatal(err)
	}
	o, err := d.Follow(ctx, ippSheet(id))
	if err != nil || o.End != device.Completed || !o.Known || o.Out != 3 {
		t.Errorf("outcome %+v, %v", o, err)
	}
	again, err := ippDevice(t, uri).Follow(ctx, ippSheet(id))
	if err != nil || again.End != device.Completed {
		t.Errorf("asked by another: %+v, %v", again, err)
	}
	if paper := printer.Paper(); len(paper) != 3 {
		t.Errorf("%d pages came out: %+v", len(paper), paper)
	}
	printer.Close()
	if _, err := ippDevice(t, uri).Open(ctx, device.Opening{}); !errors.Is(err, device.ErrUnreachable) {
		t.Errorf("a printer that is off: %v", err)
	}
}
