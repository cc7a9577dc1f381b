//go:build !printq_nofence && !printq_repeats

package main

import "printq/printer"

// openDevice makes the devices. Two build tags, which only a test sets, put a faulty one in its place.
var openDevice = printer.Open
