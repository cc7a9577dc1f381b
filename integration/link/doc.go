// Package link is the network between members of a cluster, as a test wants it: a TCP proxy stands before each member, and
// what passes through it is divided into links, one for each pair of a member that dials and a member that is dialed.
//
// What a caller can rely on:
//
//  1. A link does to its connections, and to no other link's, what its Fault says once [Link.Set] has returned; a piece that
//     was just being written may still arrive. Frames go from the one that dials to the other, so a fault of A's link to B
//     leaves alone what B says to A.
//  2. Without a fault, bytes pass unchanged and in order, an end is passed on as an end and a reset as a reset, so that a
//     process that dies looks as it does without a proxy.
//  3. Bytes that were withheld by Hold arrive late, when the fault is over: as from a network that was mended in time. A
//     connection that lost bytes is reset then, and so is one that hung.
//  4. [Network.Close] returns when every goroutine has ended and every connection is closed.
//
// Who dials is read from the hello that opens each connection (see http/peer).
package link
