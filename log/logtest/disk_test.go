package logtest

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"testing"
)

// life writes to a disk and lets it crash.
func life(t *testing.T, seed uint64) map[string][]byte {
	d := New()
	fs := d.FS()
	for _, name := range []string{"a", "b", "c"} {
		f, err := fs.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		f.WriteVec([][]byte{[]byte("durable")}, 0)
		f.Sync()
		f.WriteVec([][]byte{bytes.Repeat([]byte(name), 5*Sector)}, 7)
	}
	if err := fs.SyncDir(); err != nil {
		t.Fatal(err)
	}
	fs.Rename("c", "d")
	d.Crash(rand.New(rand.NewPCG(seed, 0)))
	return d.Files()
}

func TestCrashLosesOnlyWhatWasNotSynced(t *testing.T) {
	outcomes := map[string]bool{}
	for seed := range uint64(200) {
		files := life(t, seed)
		if len(files) != 3 {
			t.Fatalf("seed %d: %d files", seed, len(files))
		}
		var all []byte
		for _, data := range files {
			if !bytes.HasPrefix(data, []byte("durable")) {
				t.Fatalf("seed %d: a synced byte is lost", seed)
			}
		}
		for _, name := range []string{"a", "b", "c", "d"} {
			all = append(append(all, name...), files[name]...)
		}
		outcomes[string(all)] = true
		if !maps.EqualFunc(files, life(t, seed), bytes.Equal) {
			t.Fatalf("seed %d: not the same twice", seed)
		}
	}
	if len(outcomes) < 20 {
		t.Fatalf("only %d outcomes", len(outcomes))
	}
}

func TestFailedSyncLosesForGood(t *testing.T) {
	d := New()
	fs := d.FS()
	f, err := fs.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	fs.SyncDir()
	f.WriteVec([][]byte{[]byte("lost")}, 0)
	d.FailSync(1)
	if err := f.Sync(); !errors.Is(err, ErrSync) {
		t.Fatalf("sync: %v", err)
	}
	if err := f.Sync(); err != nil {
		t.Fatalf("second sync: %v", err)
	}
	d.Crash(rand.New(rand.NewPCG(1, 1)))
	if data := d.Files()["a"]; len(data) != 0 {
		t.Fatalf("%q came back", data)
	}
	if _, err := f.Size(); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); !errors.Is(err, ErrPower) {
		t.Fatalf("sync through an old handle: %v", err)
	}
}

func TestWriteSyncIsDurableAlone(t *testing.T) {
	lost := false
	for seed := range uint64(20) {
		d := New()
		fs := d.FS()
		f, err := fs.Create("a")
		if err != nil {
			t.Fatal(err)
		}
		fs.SyncDir()
		f.WriteVec([][]byte{[]byte("before")}, 0)
		if err := f.WriteSync([][]byte{[]byte("synced")}, 6); err != nil {
			t.Fatal(err)
		}
		d.FailSync(1)
		if err := f.WriteSync([][]byte{[]byte("failed")}, 12); !errors.Is(err, ErrSync) {
			t.Fatalf("sync: %v", err)
		}
		d.Crash(rand.New(rand.NewPCG(seed, 0)))
		data := d.Files()["a"]
		if len(data) != 12 || string(data[6:]) != "synced" {
			t.Fatalf("seed %d: %q", seed, data)
		}
		lost = lost || string(data[:6]) != "before"
	}
	if !lost {
		t.Fatal("what was written before was always durable, too")
	}
}
