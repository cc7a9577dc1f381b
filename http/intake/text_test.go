package intake_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"printq/http/intake"
	"printq/queue"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{" a label \r\n", "a label"},
		{"grün", "grün"},
		{"gr\xfcn", "grün"},
		{"a\x00b\x1b[1mc\x7f\u0085", "ab[1mc"},
		{"a\xffb\x85", "aÿb"},
		{strings.Repeat("ü", 600), strings.Repeat("ü", 511)},
	} {
		got := intake.Text([]byte(c.in))
		if got != c.want || len(got) > queue.MaxText || !utf8.ValidString(got) {
			t.Errorf("%.40q became %.40q (%d bytes)", c.in, got, len(got))
		}
	}
}
