package integration

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"

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

// What the device says of a job is what lies in the emulated printer's tray, whatever breaks on the way.
func TestIPPDevice(t *testing.T) {
	t.Parallel()
	type printer = *emulator.IPP
	lost := func(op goipp.Op) func(printer) { return func(p printer) { p.LoseRequest(op) } }
	unanswered := func(op goipp.Op) func(printer) { return func(p printer) { p.LoseReply(op) } }
	refused := func(op goipp.Op) func(printer) { return func(p printer) { p.RefuseNext(op, goipp.StatusErrorBusy) } }
	reboots := func(p printer) {
		p.AfterPages(1, func() {
			if err := p.Reboot(); err != nil {
				t.Error(err)
			}
		})
	}
	for name, c := range map[string]struct {
		options emulator.IPPOptions
		breaks  func(printer)
		known   bool
	}{
		"nothing":                     {known: true, breaks: func(printer) {}},
		"Create-Job":                  {known: true, breaks: lost(goipp.OpCreateJob)},
		"Create-Job's reply":          {known: true, breaks: unanswered(goipp.OpCreateJob)},
		"Create-Job refused":          {known: true, breaks: refused(goipp.OpCreateJob)},
		"Get-Jobs":                    {known: true, breaks: lost(goipp.OpGetJobs)},
		"Get-Job-Attributes":          {known: true, breaks: lost(goipp.OpGetJobAttributes)},
		"Send-Document":               {known: true, breaks: lost(goipp.OpSendDocument)},
		"Send-Document refused":       {known: true, breaks: refused(goipp.OpSendDocument)},
		"Send-Document's reply":       {breaks: unanswered(goipp.OpSendDocument)},
		"the power":                   {breaks: reboots},
		"the power, ids go on":        {breaks: reboots, options: emulator.IPPOptions{IDsGoOn: true}},
		"nothing, and no impressions": {known: true, breaks: func(printer) {}, options: emulator.IPPOptions{NoImpressions: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.options.PageTime = 5 * time.Millisecond
			p, err := emulator.NewIPP(c.options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Close() })
			uri, err := p.Start()
			if err != nil {
				t.Fatal(err)
			}
			c.breaks(p)
			o := driveIPP(t, uri)
			t.Logf("%+v", o)
			if pages := p.Pages(); o.Known && (o.End != device.Completed || len(pages) != 3) || len(pages) > 3 {
				t.Errorf("outcome %+v, %d pages", o, len(pages))
			}
			if o.Known != c.known {
				t.Errorf("outcome %+v", o)
			}
		})
	}
}

// driveIPP does with a job as the driver does, until its fate is decided.
func driveIPP(t *testing.T, uri string) device.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	d, s := ippDevice(t, uri), ippSheet("")
	for ctx.Err() == nil {
		if s.ID == "" {
			_, err := d.Open(ctx, device.Opening{})
			if err == nil {
				s.ID, err = d.Create(ctx, s.Job)
			}
			if err != nil {
				s.ID, d = "", ippDevice(t, uri)
				continue
			}
		}
		o, err := d.Follow(ctx, s)
		switch {
		case err != nil:
			d = ippDevice(t, uri) // another member
		case o.End == device.Untouched:
			s.ID = ""
			s.Job.Attempt++
		default:
			return o
		}
	}
	t.Fatal(ctx.Err())
	return device.Outcome{}
}
