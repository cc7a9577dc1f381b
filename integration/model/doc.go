// Package model searches printq's printing rules exhaustively within small bounds.
//
// It is a breadth-first search over everything that may happen next: which proposal commits, and in which term; which request
// reaches which device, how late, how often, and whether its answer is heard; when a leader is deposed (it never notices, and
// goes on); what clients ask (cancel, hold, release, move, reprint, resolve, adopt); when a device forgets its mark, or a document
// cannot be read. What each of these does is not modelled: the state machine is [printq/queue.State], the driver is
// [printq/printer.Core], the device is [printq/printer/device.Fence]. The package adds only the network between them, the paper,
// the invariants of docs/rules.md, and a number of broken devices, drivers, logs and rules that the search must find out.
//
// A state is a node (the queue's records), a driver for each device in each term, the trays with their paper, and what is on its
// way. Beside them it carries what may have come out by now (entitled): that is not derived from what the queue decides, but from what
// happened and what was asked.
//
// There are only tests in it.
package model
