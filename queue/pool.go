package queue

import (
	"cmp"
	"slices"
)

// How a printer with several devices gives out its jobs (PrinterSettings.pool).
const (
	poolBalanced = ""        // the device that has been idle longest
	poolOrdered  = "ordered" // the first idle one, in the order of the settings
	poolStandby  = "standby" // one only while each before it is out of order
)

// byPool is the order in which idle devices get jobs: printers by their first device, the devices of one printer as its
// settings say.
func byPool(a, b *device) int {
	if a.printer != b.printer {
		return cmp.Compare(a.printer.devices[0].id, b.printer.devices[0].id)
	}
	if a.printer.settings.GetPool() == poolBalanced {
		return cmp.Or(cmp.Compare(a.used, b.used), cmp.Compare(a.id, b.id))
	}
	return cmp.Compare(a.place(), b.place())
}

// place is where the device stands in its printer's settings.
func (d *device) place() int {
	own, _ := normalURI(d.uri)
	return slices.IndexFunc(d.printer.settings.GetDevices(), func(uri string) bool {
		normal, _ := normalURI(uri)
		return normal == own
	})
}

// turn reports whether a standby device is needed; any other always is.
func (d *device) turn() bool {
	if d.printer.settings.GetPool() != poolStandby || len(d.printer.devices) == 1 {
		return true
	}
	place := d.place()
	for _, x := range d.printer.devices {
		if x.place() < place && x.works() {
			return false
		}
	}
	return true
}

// works: nothing is known that keeps the device from printing. A device that was not asked yet in this term may be fine.
func (d *device) works() bool { return !d.stopped && !d.outOfOrder && !Blocking(d.reason) }
