package model

import (
	"crypto/sha256"
	"fmt"

	"printq/queue"
	"printq/queue/queuepb"
)

type commands = []*queuepb.Command

// A layout is one printer: the trays that are its devices (the same tray may be several), and what is done in doubt.
type layout struct {
	name    string
	trays   []int
	inDoubt string
	class   queue.Class
}

// setup makes the printers.
func (m *model) setup() (list commands) {
	device := 0
	for _, p := range m.printers {
		s := &queuepb.PrinterSettings{InDoubt: p.inDoubt}
		for range p.trays {
			device++
			s.Devices = append(s.Devices, fmt.Sprintf("tray:/%d", device))
		}
		list = append(list, &queuepb.Command{Body: &queuepb.Command_SetPrinter{SetPrinter: &queuepb.SetPrinter{Name: p.name, Settings: s}}})
	}
	return list
}

func submit(units, copies uint32) *queuepb.Command { return submitTo("p", units, copies) }

func submitTo(printer string, units, copies uint32) *queuepb.Command {
	sum := sha256.Sum256([]byte{0})
	return &queuepb.Command{Payload: 1, Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
		Printer: printer, Bytes: 1, Sha256: sum[:], Format: "text/plain", Units: units, Copies: copies, Pages: units,
	}}}
}

func cancel(job uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: job}}}
}

func hold(job uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Hold{Hold: &queuepb.Hold{Job: job}}}
}

func release(job uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Release{Release: &queuepb.Release{Job: job}}}
}

func reprint(job uint64) *queuepb.Command { return reprintFrom(job, 0) }

func reprintFrom(job uint64, page uint32) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Reprint{Reprint: &queuepb.Reprint{Job: job, From: page}}}
}

func move(job uint64, printer string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Move{Move: &queuepb.Move{Job: job, Printer: printer}}}
}

func force(job uint64, printer string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Move{Move: &queuepb.Move{Job: job, Printer: printer, Force: true}}}
}

func pause(printer string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: printer}}}
}

func unpause(printer string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_ResumePrinter{ResumePrinter: &queuepb.ResumePrinter{Name: printer}}}
}

func adopt(printer string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_AdoptPrinter{AdoptPrinter: &queuepb.AdoptPrinter{Name: printer}}}
}

func resolveFrom(job uint64, unit uint32) *queuepb.Command {
	return resolve(&queuepb.Resolve{Job: job, Answer: &queuepb.Resolve_ReprintFrom{ReprintFrom: unit}})
}

func resolvePrinted(job uint64, units uint32) *queuepb.Command {
	return resolve(&queuepb.Resolve{Job: job, Answer: &queuepb.Resolve_Printed{Printed: units}})
}

func resolveDone(job uint64) *queuepb.Command {
	return resolve(&queuepb.Resolve{Job: job, Answer: &queuepb.Resolve_Done{Done: true}})
}

func resolve(r *queuepb.Resolve) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: r}}
}
