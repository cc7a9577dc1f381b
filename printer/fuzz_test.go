package printer

import (
	"errors"
	"path/filepath"
	"testing"
)

// FuzzAddress: a URI names a clean, absolute directory, or is refused with what is wrong.
func FuzzAddress(f *testing.F) {
	for _, uri := range []string{"tray:/var/tray", "TRAY:///a%20b?member=2", "tray:/a?delay=300ms&member=1", "tray:out", "tray:/a?%zz", "ipp://x"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		a, err := parse(uri)
		switch {
		case err != nil && !errors.Is(err, ErrURI), (Validate(uri) == nil) != (err == nil):
			t.Errorf("%q: %v", uri, err)
		case err == nil && (!filepath.IsAbs(a.dir) || a.dir != filepath.Clean(a.dir) || a.delay < 0):
			t.Errorf("%q is %+v", uri, a)
		}
	})
}
