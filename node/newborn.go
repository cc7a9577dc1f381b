package node

import "encoding/json"

// A Newborn is a member with an empty directory: what bootstrap decides, without its I/O, so that a simulation can step it.
type Newborn struct{ self *probe }

// NewNewborn is a member with that nonce in its directory, which was given that list of members.
func NewNewborn(id uint64, members map[uint64]string, nonce string) *Newborn {
	return &Newborn{&probe{Member: id, Members: members, Nonce: nonce}}
}

// Probe is what it answers to a member that asks.
func (b *Newborn) Probe() []byte { return b.self.encode() }

// Decide takes the answers of the members that gave one. Born is what this member answers from now on: it has a manifest; nil: it
// waits for something. [ErrWiped], or another error: it must not start.
func (b *Newborn) Decide(answers map[uint64][]byte) (born []byte, waiting string, err error) {
	heard := map[uint64]*probe{b.self.Member: b.self}
	for id, answer := range answers {
		if p, err := decodeProbe(answer); err == nil && id != b.self.Member {
			heard[id] = p
		}
	}
	m, waiting, err := b.self.decide(heard, b.self.silent(heard))
	if m == nil {
		return nil, waiting, err
	}
	return m.probe().encode(), "", nil
}

// probe is what a member answers that has a manifest.
func (m *manifest) probe() *probe {
	return &probe{Member: m.Member, Members: m.Birth.Members, Cluster: m.Cluster, Birth: &m.Birth}
}

func (p *probe) encode() []byte {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // a struct of our own
	}
	return b
}

func decodeProbe(b []byte) (*probe, error) {
	p := new(probe)
	return p, json.Unmarshal(b, p)
}
