package printer

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestURIs(t *testing.T) {
	for uri, want := range map[string]address{
		"tray:/var/tray":               {dir: "/var/tray"},
		"TRAY:///var/tray/":            {dir: "/var/tray"},
		"tray:/a%20b?member=2":         {dir: "/a b", member: 2},
		"tray:/a?delay=300ms&member=1": {dir: "/a", member: 1, delay: 300 * time.Millisecond},
		"tray:/a/../b":                 {dir: "/b"},
	} {
		if got, err := parse(uri); err != nil || got != want || Validate(uri) != nil || Member(uri) != want.member {
			t.Errorf("%s: %+v, %v", uri, got, err)
		}
	}
	for uri, hint := range map[string]string{
		"":                          "schemes",
		"ipp://x":                   "tray",
		"/var/tray":                 "tray:/DIR",
		"tray:":                     "absolute",
		"tray:out":                  "absolute",
		"tray:/a?member=0":          "member",
		"tray:/a?delay=1y":          "300ms",
		"tray:/a?unsafe-no-fence=1": "unknown option",
		"tray:/a%zz":                "escape",
		"tray:/a?%zz":               "escape",
	} {
		_, err := Open(uri)
		if err == nil || !errors.Is(err, ErrURI) || !strings.Contains(err.Error(), hint) || Validate(uri) == nil || Member(uri) != 0 {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
