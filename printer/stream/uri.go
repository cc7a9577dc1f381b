package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultPort of raw printing.
const defaultPort = "9100"

// Socket is the device of a URI "socket:" + address + "?" + options. The error says what to write instead.
func Socket(address string, options url.Values) (*Device, error) {
	u, err := url.Parse("socket:" + address)
	if err != nil {
		return nil, fmt.Errorf("%w; a raw TCP printer is socket://HOST or socket://HOST:9100", err)
	}
	host, port := u.Hostname(), u.Port()
	if host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return nil, errors.New("a raw TCP printer is socket://HOST or socket://HOST:9100")
	}
	if port == "" {
		port = defaultPort
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return nil, fmt.Errorf("%q is no port, as in socket://HOST:9100", port)
	}
	o, err := parse(options, Auto)
	if err != nil {
		return nil, err
	}
	place := net.JoinHostPort(host, port)
	dial := func(ctx context.Context) (Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", place)
		if err != nil {
			return nil, err
		}
		return conn.(*net.TCPConn), nil
	}
	return New("socket://"+place, dial, o), nil
}

// File is the device of a URI "file:" + address + "?" + options. The error says what to write instead.
func File(address string, options url.Values) (*Device, error) {
	path, err := url.PathUnescape(strings.TrimPrefix(address, "//"))
	if err != nil {
		return nil, err
	}
	if !filepath.IsAbs(path) {
		return nil, errors.New("a file is an absolute path, as in file:/dev/usb/lp0")
	}
	o, err := parse(options, Off)
	if err != nil {
		return nil, err
	}
	path = filepath.Clean(path)
	talk := o.PJL == On || o.PJL == Auto || o.Labels
	return New("file:"+path, func(ctx context.Context) (Conn, error) { return openFile(ctx, path, talk) }, o), nil
}

func parse(options url.Values, pjl Mode) (o Options, err error) {
	o.PJL = pjl
	for _, name := range slices.Sorted(maps.Keys(options)) {
		value := options.Get(name)
		if err := o.set(name, value); err != nil {
			return o, fmt.Errorf("%s=%s: %w", name, value, err)
		}
	}
	switch {
	case o.Labels && options.Has("pjl") && o.PJL != Off:
		return o, errors.New("status=zpl and pjl contradict each other: a printer is asked in one way")
	case o.Labels:
		o.PJL = Off
	}
	if o.Window > 0 && o.WholeJob {
		return o, errors.New("window=N and unit=job contradict each other")
	}
	return o, nil
}

func (o *Options) set(name, value string) (err error) {
	switch name {
	case "pjl":
		o.PJL, err = choose(value, map[string]Mode{"auto": Auto, "on": On, "oneway": OneWay, "off": Off})
	case "unit":
		o.WholeJob, err = choose(value, map[string]bool{"page": false, "job": true})
	case "start":
		o.Start, err = choose(value, map[string]bool{"off": false, "on": true})
	case "lines":
		o.RawLines, err = choose(value, map[string]bool{"auto": false, "raw": true})
	case "status":
		o.Labels, err = choose(value, map[string]bool{"zpl": true})
	case "window":
		if o.Window, err = strconv.Atoi(value); err != nil || o.Window < 1 || o.Window > MaxWindow {
			err = fmt.Errorf("a window is 1 to %d units", MaxWindow)
		}
	case "timeout":
		o.Connect, err = duration(value)
	case "probe":
		o.Probe, err = duration(value)
	default:
		err = errors.New("unknown option; there are pjl, status, unit, window, start, lines, timeout, probe and member")
	}
	return err
}

func choose[T any](value string, of map[string]T) (T, error) {
	chosen, ok := of[value]
	if !ok {
		return chosen, fmt.Errorf("it is one of %s", strings.Join(slices.Sorted(maps.Keys(of)), ", "))
	}
	return chosen, nil
}

func duration(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 100*time.Millisecond || d > 10*time.Minute {
		return 0, errors.New("it is a duration from 100ms to 10m, as in 5s")
	}
	return d, nil
}
