package printer

import (
	"errors"
	"strings"
	"testing"
)

func TestURIs(t *testing.T) {
	for uri, member := range map[string]uint64{
		"tray:/var/tray":                                     0,
		"TRAY:///var/tray/":                                  0,
		"tray:/a%20b?member=2":                               2,
		"tray:/a?delay=300ms&member=1":                       1,
		"socket://printer":                                   0,
		"socket://printer.example:9101/?member=3":            3,
		"Socket://[fe80::1]:9100?pjl=off&window=64":          0,
		"socket://10.0.0.1?pjl=on&unit=job&start=on":         0,
		"socket://10.0.0.1?timeout=1s&probe=500ms&lines=raw": 0,
		"socket://10.0.0.1?status=zpl&window=4&pjl=off":      0,
		"file:/dev/usb/lp0?status=zpl":                       0,
		"file:/dev/usb/lp0?member=2":                         2,
		"file:///tmp/out?pjl=oneway":                         0,
	} {
		d, err := Open(uri)
		if err != nil || d == nil || Validate(uri) != nil || Member(uri) != member {
			t.Errorf("%s: %v, %v", uri, d, err)
		}
	}
	for uri, hint := range map[string]string{
		"":                             "schemes",
		"lpd://x":                      "tray:/DIR",
		"ftp://x":                      "socket://HOST:9100",
		"/var/tray":                    "file:/dev/usb/lp0",
		"tray:":                        "absolute",
		"tray:out":                     "absolute",
		"tray:/a?member=0":             "member",
		"tray:/a?delay=1y":             "300ms",
		"tray:/a?unsafe-no-fence=1":    "unknown option",
		"tray:/a%zz":                   "escape",
		"tray:/a?%zz":                  "escape",
		"socket:printer":               "socket://HOST",
		"socket://":                    "socket://HOST",
		"socket://a:b@printer":         "socket://HOST",
		"socket://printer/queue":       "socket://HOST",
		"socket://printer:0":           "port",
		"socket://printer:99999":       "port",
		"socket://printer:x":           "socket://HOST",
		"socket://p?pjl=maybe":         "auto, off, on, oneway",
		"socket://p?window=65":         "1 to 64",
		"socket://p?window=0":          "1 to 64",
		"socket://p?window=2&unit=job": "contradict",
		"socket://p?status=epl":        "zpl",
		"socket://p?status=zpl&pjl=on": "contradict",
		"socket://p?timeout=never":     "5s",
		"socket://p?probe=1ns":         "100ms",
		"socket://p?colour=red":        "unknown option",
		"socket://p?member=x":          "member",
		"file:lp0":                     "absolute",
		"file:/dev/lp0?unit=book":      "job, page",
	} {
		d, err := Open(uri)
		if err == nil || d != nil || !errors.Is(err, ErrURI) || !strings.Contains(err.Error(), hint) || Validate(uri) == nil || Member(uri) != 0 {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
