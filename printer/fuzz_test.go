package printer

import (
	"errors"
	"testing"
)

// FuzzAddress: a URI names a device, or is refused with what is wrong; and what names one names the same member everywhere.
func FuzzAddress(f *testing.F) {
	for _, uri := range []string{
		"tray:/var/tray", "TRAY:///a%20b?member=2", "tray:/a?delay=300ms&member=1", "tray:out", "tray:/a?%zz", "ipp://x", "ipps://h:1/p?pin=00",
		"socket://h", "socket://[::1]:9100?pjl=off&window=9", "file:/dev/usb/lp0?member=3", "head://h:8634?pin=zz", "head://s@h",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		d, member, err := Opener{}.parse(uri)
		switch {
		case err != nil && !errors.Is(err, ErrURI), (Validate(uri) == nil) != (err == nil), (d == nil) != (err != nil):
			t.Errorf("%q: %v, %v", uri, d, err)
		case err == nil && Member(uri) != member:
			t.Errorf("%q: member %d, then %d", uri, member, Member(uri))
		}
	})
}
