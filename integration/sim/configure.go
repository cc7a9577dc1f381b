package sim

import (
	"errors"
	"fmt"
	"time"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// configure makes the printers, and tries to make two on one tray.
func (c *clients) configure() {
	for i := range c.w.plan.Printers {
		devices := c.devices(i)
		c.w.until(func(m *member, done func(bool)) {
			m.ask(setPrinter(fmt.Sprint("p", i), c.w.plan.InDoubt, devices...), nil, func(_ node.Answer, err error) {
				done(err == nil)
				if i == 0 && err == nil {
					c.w.after(time.Second, c.second)
				}
			})
		})
	}
}

// second tries to make another printer of a tray that has one.
func (c *clients) second() {
	c.w.until(func(m *member, done func(bool)) {
		m.ask(setPrinter("second", "", c.w.trays[0].uri()), nil, func(_ node.Answer, err error) {
			if err == nil {
				c.w.violated(0, "two printers have one tray")
			}
			if errors.Is(err, queue.ErrState) {
				c.w.counts.add("race: two printers on one tray, refused")
			}
			done(errors.Is(err, queue.ErrState))
		})
	})
}

// keepDocuments is short, so that documents are let go and their segments tidied away.
const keepDocuments = 6 * time.Second

// set changes a printer's settings, in a way that only reads of them show.
func (c *clients) set(i int) {
	devices := c.devices(i)
	cmd := setPrinter(fmt.Sprint("p", i), c.w.plan.InDoubt, devices...)
	c.settings++
	cmd.GetSetPrinter().Settings.Retention = int64(24*time.Hour) + c.settings
	c.w.counts.add("client: " + SetPrinter.String())
	c.command(cmd)
}

func (c *clients) devices(i int) []string {
	devices := []string{c.w.trays[i].uri()}
	if i == 0 && c.w.plan.Pool {
		devices = append(devices, c.w.trays[c.w.plan.Printers].uri())
	}
	return devices
}

func setPrinter(name, inDoubt string, devices ...string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_SetPrinter{SetPrinter: &queuepb.SetPrinter{
		Name: name, Settings: &queuepb.PrinterSettings{
			Devices: devices, InDoubt: inDoubt, Keep: int64(keepDocuments),
		},
	}}}
}
