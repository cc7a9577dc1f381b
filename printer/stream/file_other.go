//go:build !linux

package stream

import "os"

const openFlags = 0

// lineStatus cannot be asked here.
func lineStatus(*os.File) (reason, detail string) { return "", "" }
