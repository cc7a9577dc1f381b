package printer

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"printq/printer/device"
	"printq/printer/tray"
)

// ErrURI: a device URI that names no device. It is wrapped with what is wrong and what to write.
var ErrURI = errors.New("bad device URI")

// An address is a device URI, taken apart.
type address struct {
	dir    string
	member uint64
	delay  time.Duration
}

// Open is the device at a URI:
//
//	tray:DIR    a directory, as package tray has it. DIR is absolute. ?delay=300ms waits so long before each page.
//
// With ?member=N it is driven only while member N leads, because no other reaches it. Nothing is opened yet. The error is ErrURI.
func Open(uri string) (device.Device, error) {
	a, err := parse(uri)
	if err != nil {
		return nil, err
	}
	return tray.New(a.dir, tray.Options{Delay: a.delay}), nil
}

// Validate reports what is wrong with a URI in one line, as ErrURI, or nil.
func Validate(uri string) error {
	_, err := parse(uri)
	return err
}

// Member is the only member that may drive the device; 0: any. A URI that is not valid names none.
func Member(uri string) uint64 {
	a, err := parse(uri)
	if err != nil {
		return 0
	}
	return a.member
}

func parse(uri string) (address, error) {
	bad := func(format string, args ...any) (address, error) {
		return address{}, fmt.Errorf("%w %q: %s", ErrURI, uri, fmt.Sprintf(format, args...))
	}
	scheme, rest, _ := strings.Cut(uri, ":")
	if strings.ToLower(scheme) != "tray" {
		return bad("the schemes are: tray (tray:/DIR)")
	}
	dir, query, _ := strings.Cut(rest, "?")
	dir, err := url.PathUnescape(strings.TrimPrefix(dir, "//"))
	if err != nil {
		return bad("%v", err)
	}
	if !filepath.IsAbs(dir) {
		return bad("a tray is an absolute directory, as in tray:/var/spool/tray")
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return bad("%v", err)
	}
	a := address{dir: filepath.Clean(dir)}
	for name, values := range options {
		if err := a.option(name, values[len(values)-1]); err != nil {
			return bad("%v", err)
		}
	}
	return a, nil
}

func (a *address) option(name, value string) (err error) {
	switch name {
	case "member":
		if a.member, err = strconv.ParseUint(value, 10, 64); err != nil || a.member == 0 {
			return fmt.Errorf("member=%s is no member id", value)
		}
	case "delay":
		if a.delay, err = time.ParseDuration(value); err != nil || a.delay < 0 || a.delay > time.Hour {
			return fmt.Errorf("delay=%s is no duration up to an hour, as in 300ms", value)
		}
	default:
		return fmt.Errorf("unknown option %q; a tray has member and delay", name)
	}
	return nil
}
