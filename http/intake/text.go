package intake

import (
	"strings"
	"unicode/utf8"

	"printq/queue"
)

// Text makes what a client says of itself fit for a job's record: UTF-8 (else it is taken for ISO 8859-1), without control
// characters, at most queue.MaxText bytes.
func Text(b []byte) string {
	s := string(b)
	if !utf8.Valid(b) {
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		s = string(runes)
	}
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r < 0xa0 {
			return -1
		}
		return r
	}, s))
	if len(s) <= queue.MaxText {
		return s
	}
	end := queue.MaxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
