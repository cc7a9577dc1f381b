package head

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The sync of a page failed that says where everything is, and the head's process ended. What the next one reads and answers with must be
// on the disk by then.
func TestRecordIsDurableBeforeItIsTold(t *testing.T) {
	shown, disk := t.TempDir(), t.TempDir()
	read := func() []byte {
		b, err := os.ReadFile(filepath.Join(shown, "head.db"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	begin := func(dir string) *store {
		s, err := openStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := begin(shown)
	var before []byte
	for page := range 3 {
		before = read()
		r := s.record
		r.Mark = Mark{Attempt: 7, Copy: 1, Page: page + 1}
		if err := s.save(r); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.close()
	const metas = 2
	page, taken := os.Getpagesize(), read()
	lost := append(bytes.Clone(before[:metas*page]), taken[metas*page:]...)

	s = begin(shown)
	told := s.record.Mark
	_ = s.close()
	for at, now := 0, read(); at < len(now); at += page {
		if p := now[at:min(at+page, len(now))]; at >= len(taken) || !bytes.Equal(p, taken[at:at+len(p)]) { // it was written
			lost = append(lost, make([]byte, max(0, at+len(p)-len(lost)))...)
			copy(lost[at:], p)
		}
	}
	if err := os.WriteFile(filepath.Join(disk, "head.db"), lost, 0o600); err != nil {
		t.Fatal(err)
	}
	s = begin(disk)
	defer s.close()
	if s.record.Mark != told {
		t.Errorf("after the power was gone the mark is %+v; %+v had been told", s.record.Mark, told)
	}
}
