package tail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// verified are the lines that a reader of an answer takes for the log.
func verified(body []byte) (lines []string) {
	var chain Chain
	from := uint64(1)
	_ = read(context.Background(), bytes.NewReader(body), "server", Options{From: 1}, &from, func(l Line) error {
		if err := chain.Add(l); err != nil {
			return err
		}
		lines = append(lines, string(l.JSON))
		return nil
	})
	return lines
}

// FuzzVerify: what verifies from the first line on is what the ten lines of the design say, whatever a server sends; and a log
// of which a byte was changed verifies up to there at most.
func FuzzVerify(f *testing.F) {
	whole := strings.Join(chain(5), "\n") + "\n{\"bookmark\":5}\n"
	f.Add([]byte(whole), uint16(0), byte(0))
	f.Add([]byte(whole[:300]), uint16(17), byte(1))
	f.Add([]byte(`{"seq":1,"hash":"`+Start+"\"}\n"), uint16(400), byte(0x20))
	f.Add([]byte("{\"problem\":{\"status\":410}}\n{\"bookmark\":18446744073709551615}\nx"), uint16(701), byte(0x80))
	f.Fuzz(func(t *testing.T, body []byte, at uint16, flip byte) {
		prev := Start
		for i, line := range verified(body) {
			rest, hash, found := strings.Cut(line, `,"hash":"`)
			if strings.Count(line, `,"hash":"`) > 1 {
				break // the last one counts
			}
			if !found || !strings.HasSuffix(hash, `"}`) {
				if i == 0 {
					break // the log does not begin with the first line
				}
				t.Fatalf("a line without a hash verifies: %s", line)
			}
			hash = strings.TrimSuffix(hash, `"}`)
			if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(prev+rest+"}"))); sum != hash && (i > 0 || strings.Contains(line, `"seq":1,`)) {
				t.Fatalf("line %d comes to %s: %s", i, sum, line)
			}
			prev = hash
		}
		broken := []byte(whole)
		broken[int(at)%len(broken)] ^= flip
		lines, want := verified(broken), chain(5)
		if len(lines) > 0 && !strings.Contains(lines[0], `"seq":1,`) {
			return // it says that the log begins with another line, whose hash nobody can check
		}
		if !slices.Equal(lines, want[:min(len(lines), len(want))]) {
			t.Fatalf("byte %d changed by %x verifies: %q", int(at)%len(broken), flip, lines)
		}
	})
}
