package tray

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// Parse is the tray of a URI "tray:" + address + "?" + options. The error says what to write instead.
func Parse(address string, options url.Values) (*Tray, error) {
	dir, err := url.PathUnescape(strings.TrimPrefix(address, "//"))
	if err != nil {
		return nil, err
	}
	if !filepath.IsAbs(dir) {
		return nil, errors.New("a tray is an absolute directory, as in tray:/var/spool/tray")
	}
	var o Options
	for name := range options {
		value := options.Get(name)
		if name != "delay" {
			return nil, fmt.Errorf("unknown option %q; a tray has member and delay", name)
		}
		if o.Delay, err = time.ParseDuration(value); err != nil || o.Delay < 0 || o.Delay > time.Hour {
			return nil, fmt.Errorf("delay=%s is no duration up to an hour, as in 300ms", value)
		}
	}
	return New(filepath.Clean(dir), o), nil
}
