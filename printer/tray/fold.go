package tray

import (
	"fmt"

	"printq/printer/device"
)

// A fold is the meaning of a ledger's lines so far: a pure function of them, which the writer, an auditor and the tests share. Two
// that folded the same bytes agree about every line, so nobody needs a lock to know which lines count.
type fold struct {
	fence device.Fence
	begun bool
}

// next takes the next complete line. An error says why it does not count. The verdict is of page lines only: a repeat is no
// error, and does not count.
func (f *fold) next(r record) (device.Verdict, error) {
	if !f.begun && r.kind != epoch {
		return device.Refused, fmt.Errorf("%w: the ledger has no epoch yet", device.ErrRefused)
	}
	switch r.kind {
	case epoch:
		return device.Refused, f.epoch(r)
	case claim:
		return device.Refused, f.fence.Open(r.token)
	case page:
		return f.fence.Print(r.unit())
	case closing:
		return device.Refused, f.fence.Close(r.token, r.attempt)
	}
	return device.Refused, fmt.Errorf("%w: not a record", device.ErrRefused)
}

// epoch: the first one begins the ledger. A later one counts only where it adopts the one that holds, for another cluster: the
// fence begins anew.
func (f *fold) epoch(r record) error {
	if f.begun && (r.adopts != f.fence.Epoch || r.cluster == f.fence.Cluster) {
		return fmt.Errorf("%w: the ledger has its epoch", device.ErrRefused)
	}
	f.fence, f.begun = device.NewFence(r.epoch, r.cluster), true
	return nil
}
