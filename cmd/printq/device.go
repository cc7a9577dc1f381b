//go:build !printq_nofence && !printq_repeats

package main

import (
	"printq/printer"
	"printq/printer/device"
)

// deviceOpener makes the devices. Two build tags, which only a test sets, put a faulty one in its place.
func deviceOpener(secrets map[string]string) func(uri string) (device.Device, error) {
	return printer.Opener{Secrets: secrets}.Open
}
