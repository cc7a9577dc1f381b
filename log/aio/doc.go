// Package aio asks the kernel to write and to sync without a thread that waits for it (Linux's io_submit(2); elsewhere it has nothing).
//
// Whatever runs Go code needs one of GOMAXPROCS processors, and a thread that waits in a system call keeps its own until Go's monitor takes
// it away. The monitor looks every 20 us, or more seldom if it may; so members that sync much have their processors idle, or
// their monitor busy. Here a goroutine waits as it does for a socket.
package aio
