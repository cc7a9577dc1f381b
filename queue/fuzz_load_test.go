package queue

import (
	"maps"
	"testing"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// FuzzLoad changes a record of a state. Load refuses what its digest does not cover; with the digest mended, as of a bug that
// counted what it wrote, it may refuse, but must return.
func FuzzLoad(f *testing.F) {
	w := newWorld(f)
	saga(w)
	w.drain()
	for i, b := range Buckets {
		for key, value := range w.store[b] {
			f.Add(uint8(i), []byte(key), value, true)
			f.Add(uint8(i), []byte(key), value[:len(value)/2], false)
		}
		f.Add(uint8(i), []byte("x"), []byte{}, true)
	}
	f.Fuzz(func(t *testing.T, bucket uint8, key, value []byte, mend bool) {
		b := Buckets[int(bucket)%len(Buckets)]
		changed := store{}
		for name, records := range w.store {
			changed[name] = maps.Clone(records)
		}
		if changed[b] == nil {
			changed[b] = map[string][]byte{}
		}
		before, was := changed[b][string(key)]
		same := was && string(before) == string(value)
		changed[b][string(key)] = value
		if mend {
			redigest(changed)
		}
		s, err := Load(changed.each)
		switch {
		case err != nil && same:
			t.Fatalf("nothing was changed, and it does not load: %v", err)
		case err == nil && !same && !mend && counted(b) && b != Lines:
			t.Fatalf("a record of %s was changed, and it loads", b)
		case err == nil && !mend:
			check(t, s)
		}
	})
}

// redigest makes the digest that of the records.
func redigest(s store) {
	var m queuepb.Meta
	if proto.Unmarshal(s[Meta]["meta"], &m) != nil {
		return
	}
	m.Digest = 0
	for b, records := range s {
		for key, value := range records {
			if counted(b) && b != Lines {
				m.Digest += recordSum(b, []byte(key), value)
			}
		}
	}
	raw, err := proto.Marshal(&m)
	if err == nil {
		s[Meta]["meta"] = raw
	}
}

// FuzzURI: what is normal of a device's URI is normal, and one device does not become two by being written again.
func FuzzURI(f *testing.F) {
	for _, uri := range []string{"tray:/a/../b", "tcp://HOST:9100", "ipp://host/a//b?x=1", "file:x", "a:", "//", "TRAY:/A?member=2"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		normal, err := normalURI(uri)
		if err != nil {
			return
		}
		if again, err := normalURI(normal); err != nil && len(normal) <= MaxText || err == nil && again != normal {
			t.Errorf("%q is normally %q, and that %q, %v", uri, normal, again, err)
		}
	})
}
