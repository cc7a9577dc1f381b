//go:build !linux

package stream

// unacknowledged cannot be asked here.
func unacknowledged(Conn) (n int, known bool, err error) { return 0, false, nil }

// roomOf cannot be asked here.
func roomOf(Conn) (r room, known bool) { return room{}, false }
