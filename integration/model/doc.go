// Package model searches printq's printing rules exhaustively within small bounds.
//
// It is a breadth-first search over everything that may happen next: which proposal commits, and in which term; which request
// reaches the device, how late, how often, and whether its answer is heard; when a leader is deposed (it never notices, and
// goes on); what clients ask; when the device forgets its mark. What each of these does is not modelled: the state machine is
// [printq/queue.State], the driver is [printq/printer.Core], the device is [printq/printer/device.Fence]. The package adds only
// the network between them, the paper, the invariants of docs/rules.md, and a number of broken devices, drivers and logs that
// the search must find out.
//
// There are only tests in it.
package model
