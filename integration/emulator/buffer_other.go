//go:build !unix

package emulator

import "errors"

func receiveBuffer(uintptr, int) error {
	return errors.New("the system's buffers cannot be set here")
}
