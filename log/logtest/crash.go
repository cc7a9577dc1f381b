package logtest

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// inode is a file's contents, whatever its name.
type inode struct {
	data    []byte   // as it looks
	durable []byte   // as of the last sync
	pending []change // what happened between
}

// change is a write, or a truncation to off.
type change struct {
	off      int64
	data     []byte
	truncate bool
}

func (n *inode) change(c change) {
	n.pending = append(n.pending, c)
	n.data = c.apply(n.data)
}

// sync replays what is pending: what a failed sync dropped stays lost.
func (n *inode) sync() {
	for _, c := range n.pending {
		n.durable = c.apply(n.durable)
	}
	n.pending = nil
}

// settle makes the changes from the nth pending one on durable, and leaves those before it open.
func (n *inode) settle(from int) {
	for _, c := range n.pending[from:] {
		n.durable = c.apply(n.durable)
	}
	n.pending = n.pending[:from]
}

func (c change) apply(to []byte) []byte {
	end := c.off + int64(len(c.data))
	if grow := end - int64(len(to)); grow > 0 {
		to = append(to, make([]byte, grow)...)
	}
	copy(to[c.off:], c.data)
	if c.truncate {
		to = to[:c.off:c.off]
	}
	return to
}

// sectors cuts a write into the pieces that reach the disk apart from each other.
func (c change) sectors() []change {
	if c.truncate {
		return []change{c}
	}
	var all []change
	for off, data := c.off, c.data; len(data) > 0; {
		n := min(int64(len(data)), Sector-off%Sector)
		all = append(all, change{off: off, data: data[:n]})
		off, data = off+n, data[n:]
	}
	return all
}

// crash keeps some of what was not synced.
func (n *inode) crash(r *rand.Rand) {
	keep := choice(r)
	for _, c := range n.pending {
		for _, s := range c.sectors() {
			if keep() {
				n.durable = s.apply(n.durable)
			}
		}
	}
	n.pending = nil
	n.data = slices.Clone(n.durable)
}

// dirOp is a creation (no from), a removal (no to) or a renaming.
type dirOp struct {
	from, to string
	node     *inode
}

// apply does nothing if the operation no longer has its object.
func (op dirOp) apply(names map[string]*inode) {
	if op.from != "" {
		if names[op.from] != op.node {
			return
		}
		delete(names, op.from)
	}
	if op.to != "" {
		names[op.to] = op.node
	}
}

// choice returns how what was not synced is dealt with: all lost, all kept, a prefix kept, or each part by
// itself.
func choice(r *rand.Rand) func() bool {
	switch r.IntN(5) {
	case 0:
		return func() bool { return false }
	case 1:
		return func() bool { return true }
	case 2:
		lost := false
		return func() bool {
			lost = lost || r.IntN(4) == 0
			return !lost
		}
	default:
		return func() bool { return r.IntN(2) == 0 }
	}
}

// Crash is a loss of power and the next boot. Synced data stays; of the rest, r decides what does.
// Handles from before return ErrPower. All that was ordered, such as a full disk, is over.
func (d *Disk) Crash(r *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	keep := choice(r)
	for _, op := range d.dirOps {
		if keep() {
			op.apply(d.durable)
		}
	}
	d.names, d.dirOps = maps.Clone(d.durable), nil
	seen := map[*inode]bool{}
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		if n := d.names[name]; !seen[n] {
			seen[n] = true
			n.crash(r)
		}
	}
	d.boot++
	d.off, d.powerOff, d.failSync, d.capacity, d.syncDelay = false, 0, 0, 0, nil
}

// Kill is the end of the process alone: everything written stays, but remains unsynced.
func (d *Disk) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.boot++
}
