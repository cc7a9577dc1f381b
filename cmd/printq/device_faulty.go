//go:build printq_nofence || printq_repeats

package main

import (
	"context"
	"io"
	"strings"
	"sync/atomic"

	"printq/printer/device"
	"printq/printer/tray"
)

// deviceOpener makes trays each behind a connection that brings some requests twice, as networks do. With the tag
// printq_repeats the tray keeps its fence, and nothing comes of it; with printq_nofence it breaks rule R8, and the demo has
// to notice.
func deviceOpener(map[string]string) func(uri string) (device.Device, error) { return openDevice }

func openDevice(uri string) (device.Device, error) {
	dir, _, _ := strings.Cut(strings.TrimPrefix(uri, "tray:"), "?")
	if unfenced {
		return &repeating{Fenced: tray.NewUnfenced(dir, tray.Options{})}, nil
	}
	return &repeating{Fenced: tray.New(dir, tray.Options{})}, nil
}

type repeating struct {
	device.Fenced
	units atomic.Int64
}

// Print prints each fortieth unit again.
func (d *repeating) Print(ctx context.Context, u device.Unit) error {
	err := d.Fenced.Print(ctx, u)
	if err != nil || d.units.Add(1)%40 != 0 {
		return err
	}
	if s, ok := u.Body.(io.Seeker); ok {
		if _, err := s.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	return d.Fenced.Print(ctx, u)
}
