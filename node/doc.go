// Package node is one member: it joins the log, the queue and raft, and gives the world outside one set of calls.
//
// One goroutine owns raft and the queue's state. What it does with each turn stands in one function, [Core.turn]: step,
// save, send, apply, in that order. The [Core] decides; it has no goroutine, no clock and no socket, and sees the log, the
// state's store and the other members through small interfaces, so that a simulation can drive the same code. The [Node]
// around it does the I/O.
//
// What a caller can rely on:
//
//   - A request that was answered without an error is synced on a majority, and applied here: a read here sees it.
//   - ErrNoQuorum and ErrFull mean that nothing was proposed. ErrUnknown means that nobody knows yet; a retry with the
//     same idempotency key finds out.
//   - Every queue has a limit. What does not fit is refused with ErrFull, not kept waiting without end.
//   - A write or sync that fails ends Run with an error: a member that cannot write does not go on.
//   - Replay at start, and a snapshot, drive no printer: the Driver hears only of what was committed while it leads (R6).
package node
