//go:build !linux

package http

import "net"

// acknowledged: nobody says.
func acknowledged(net.Conn) bool { return false }
