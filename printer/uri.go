package printer

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"printq/printer/device"
	"printq/printer/head"
	"printq/printer/ipp"
	"printq/printer/stream"
	"printq/printer/tray"
)

// ErrURI: a device URI that names no device. It is wrapped with what is wrong and what to write.
var ErrURI = errors.New("bad device URI")

// A scheme is a kind of device. Its package reads what is its own of the URI: what stands between the colon and the question
// mark, not decoded, and the options but member.
type scheme struct {
	name, example string
	open          func(address string, options url.Values) (device.Device, error)
}

// An Opener opens devices by their URIs.
type Opener struct {
	// Secrets of print heads, by HOST:PORT. They stand in no URI, which everybody may read.
	Secrets map[string]string
}

func (x Opener) schemes() []scheme {
	whole := func(scheme string) func(string, url.Values) (device.Device, error) {
		return func(a string, o url.Values) (device.Device, error) {
			uri := scheme + ":" + a
			if len(o) > 0 {
				uri += "?" + o.Encode()
			}
			printer, err := ipp.Parse(uri)
			return ipp.New(printer, ipp.Options{}), err
		}
	}
	return []scheme{
		{"tray", "tray:/DIR", func(a string, o url.Values) (device.Device, error) { return tray.Parse(a, o) }},
		{"socket", "socket://HOST:9100", func(a string, o url.Values) (device.Device, error) { return stream.Socket(a, o) }},
		{"file", "file:/dev/usb/lp0", func(a string, o url.Values) (device.Device, error) { return stream.File(a, o) }},
		{"ipp", "ipp://HOST/ipp/print", whole("ipp")},
		{"ipps", "ipps://HOST/ipp/print", whole("ipps")},
		{"head", "head://HOST:8634", func(a string, o url.Values) (device.Device, error) { return head.Parse(a, o, x.Secrets) }},
	}
}

// Open is the device at a URI:
//
//	tray:DIR              a directory, as package tray has it. DIR is absolute. ?delay=300ms waits so long before each page.
//	socket://HOST[:9100]  a raw TCP printer, with or without PJL, as package stream has it
//	file:PATH             a character device, a FIFO or a plain file, as package stream has it
//	ipp://HOST/PATH       an IPP printer, or ipps: with TLS, as package ipp has it
//	head://HOST[:8634]    a print head, as package head has it
//
// With ?member=N any of them is driven only while member N leads, because no other reaches it. Nothing is opened yet. The error
// is ErrURI.
func (x Opener) Open(uri string) (device.Device, error) {
	d, _, err := x.parse(uri)
	return d, err
}

// Open is the device at a URI, where no secrets are needed.
func Open(uri string) (device.Device, error) { return Opener{}.Open(uri) }

// Validate reports what is wrong with a URI in one line, as ErrURI, or nil.
func Validate(uri string) error {
	_, _, err := Opener{}.parse(uri)
	return err
}

// Member is the only member that may drive the device; 0: any. A URI that is not valid names none.
func Member(uri string) uint64 {
	_, member, err := Opener{}.parse(uri)
	if err != nil {
		return 0
	}
	return member
}

func (x Opener) parse(uri string) (device.Device, uint64, error) {
	name, rest, _ := strings.Cut(uri, ":")
	var examples []string
	for _, s := range x.schemes() {
		if !strings.EqualFold(name, s.name) {
			examples = append(examples, fmt.Sprintf("%s (%s)", s.name, s.example))
			continue
		}
		d, member, err := s.parse(rest)
		if err != nil {
			return nil, 0, fmt.Errorf("%w %q: %w", ErrURI, ipp.Redact(uri), err)
		}
		return d, member, nil
	}
	return nil, 0, fmt.Errorf("%w %q: the schemes are: %s", ErrURI, uri, strings.Join(examples, ", "))
}

func (s scheme) parse(rest string) (device.Device, uint64, error) {
	address, query, _ := strings.Cut(rest, "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return nil, 0, err
	}
	member := uint64(0)
	if options.Has("member") {
		value := last(options, "member")
		if member, err = strconv.ParseUint(value, 10, 64); err != nil || member == 0 {
			return nil, 0, fmt.Errorf("member=%s is no member id", value)
		}
		options.Del("member")
	}
	for name := range options {
		options.Set(name, last(options, name))
	}
	d, err := s.open(address, options)
	if err != nil {
		return nil, 0, err // not d: it may be a nil pointer, which is no nil device
	}
	return d, member, nil
}

// last: where an option stands twice, the later one holds.
func last(options url.Values, name string) string { return options[name][len(options[name])-1] }
