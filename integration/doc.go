// Package integration tests printq as a whole: real processes, sockets, disks and signals, with a tray as the printer.
//
// Every test ends in an audit, which relies on nothing that printq says of itself but the two things that it promises to
// outsiders: the lines of the tray's ledger that count are the paper, and the log is the same on every member. The audit
// itself is shown to bite on made-up paper.
//
// Where a test is to break the network, a proxy stands before each member (package link). TestFaultCampaign brings kills, pauses
// and partitions together, under every kind of request.
//
// Members are children that end with the test, however it ends. What they said is shown where a test fails, and kept with
// go test -artifacts. Tests that take longer than a few seconds are left out with -short; PRINTQ_LONG=1 makes some of them
// as large as the promise is.
package integration
