package integration

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// chained is n lines as a member writes them. Numbers are changed where change says so, before they are hashed.
func chained(n int, change func(seq int) (newSeq, index, term int)) (lines [][]byte) {
	hash := strings.Repeat("0", 64)
	for seq := 1; seq <= n; seq++ {
		s, index, term := seq, seq+1, 2
		if change != nil {
			s, index, term = change(seq)
		}
		text := fmt.Sprintf(`{"seq":%d,"index":%d,"term":%d,"type":"submit","job":%d`, s, index, term, seq)
		hash = fmt.Sprintf("%x", sha256.Sum256([]byte(hash+text+"}")))
		lines = append(lines, []byte(text+`,"hash":"`+hash+`"}`))
	}
	return lines
}

// TestVerifyBites shows that the audit's check of the log notices what was done to a log.
func TestVerifyBites(t *testing.T) {
	good := chained(9, nil)
	altered := slices.Clone(good)
	altered[4] = bytes.Replace(altered[4], []byte("submit"), []byte("cancel"), 1)
	for _, c := range []struct {
		name  string
		lines [][]byte
		ok    bool
	}{
		{"nothing", good, true},
		{"no line", nil, true},
		{"a byte is altered", altered, false},
		{"a line is missing", slices.Delete(slices.Clone(good), 3, 4), false},
		{"the first is missing", good[1:], false},
		{"a line comes twice", slices.Insert(slices.Clone(good), 3, good[3]), false},
		{"seq has a hole, and is hashed", chained(9, func(s int) (int, int, int) { return s + s/5, s, 1 }), false},
		{"term goes back, and is hashed", chained(9, func(s int) (int, int, int) { return s, s, 9 - s }), false},
		{"index goes back, and is hashed", chained(9, func(s int) (int, int, int) { return s, 9 - s, 1 }), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := verify(c.lines); (err == nil) != c.ok {
				t.Errorf("verify says %v", err)
			}
			if err := same(good, c.lines); (err == nil) != slices.EqualFunc(good, c.lines, bytes.Equal) {
				t.Errorf("same says %v", err)
			}
		})
	}
}
