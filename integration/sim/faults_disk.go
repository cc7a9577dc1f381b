package sim

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
)

// breakDisk orders what the disk is to refuse. The process ends with it.
func (m *member) breakDisk(s Step) bool {
	if m.armed != "" {
		return false
	}
	switch s.Kind {
	case PowerAt:
		m.armed = "power"
		m.disk.PowerOffAt(1 + s.B%12)
	case FailSync:
		m.armed = "sync"
		m.disk.FailSync(1 + s.B%4)
	case FillDisk:
		m.armed = "full"
		used := int64(0)
		for _, b := range m.disk.Files() {
			used += int64(len(b))
		}
		disk := m.disk
		disk.SetCapacity(used + int64(s.B%2000))
		m.w.after(s.For, func() {
			disk.SetCapacity(0)
			if m.armed == "full" {
				m.armed = ""
			}
		})
	}
	return true
}

// spare reports whether the cluster can lose one more member for good.
func (w *World) spare() bool {
	gone := 0
	for _, m := range w.members {
		if m.lost || m.flipped || m.wipes > 0 {
			gone++
		}
	}
	return 2*(gone+1) < len(w.members)
}

// flip turns one bit over in a file that was synced long ago; what the log may take for torn (its last batch) is not damaged:
// see docs/testing.md.
func (m *member) flip() bool {
	if !m.w.spare() {
		return false
	}
	files := m.disk.Files()
	names := sealed(files)
	if len(names) == 0 {
		return false
	}
	name := names[m.w.random.IntN(len(names))]
	m.flipped = true
	offset := m.w.random.Int64N(int64(len(files[name])))
	for _, doc := range m.w.clients.waiting() {
		for _, n := range names {
			if at := bytes.Index(files[n], doc); at >= 0 && !m.w.often(4) {
				name, offset = n, int64(at) // in a document that is still to be printed
			}
		}
	}
	m.w.trace.say(m.w.now, "m%d: a bit of %s turns over at %d", m.id, name, offset)
	return m.disk.Flip(name, offset, uint(m.w.random.IntN(8))) == nil
}

// sealed gives the files that are no longer written: all segments but the newest, and the carries.
func sealed(files map[string][]byte) []string {
	var segments, names []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		switch filepath.Ext(name) {
		case ".seg":
			segments = append(segments, name)
		case ".carry":
			names = append(names, name)
		}
	}
	if len(segments) > 0 {
		segments = segments[:len(segments)-1]
	}
	return append(segments, names...)
}
