// Package sim is printq in one goroutine: several members of the production code (node.Core, the queue, printer.Core, the log over
// a simulated disk), their clients and their printers, under one seeded queue of events and in virtual time. It breaks what
// can break, and checks the invariants of the design (§4) after every step, or at the end where that is dearer.
//
// What a caller can rely on:
//
//   - The same seed, the same plan and the same binary give the same run: the trace's hash says so. Raft draws its election jitter from
//     crypto/rand, so a test sets that with cryptotest.SetGlobalRandom before each run, and runs nothing in parallel.
//   - A run ends healed and drained: faults are over, everybody who can is up, and every acknowledged job must have ended as promised.
//   - A violation ends a run at the moment it is seen. [Result] says which invariant, and what the world looked like.
//   - What was injected and which races occurred is counted. A fault that never happened over a range of seeds is a failure of the range.
//
// What is simulated, and so not tested here: the network's and the file system's real behaviour, bbolt, HTTP, the goroutines of
// node.Node and printer.Driver, and the tray's ledger. Their tests are beside them.
package sim
