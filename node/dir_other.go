//go:build !unix

package node

import (
	"errors"
	"os"
)

var errSystem = errors.New("a member does not run on this system: use Linux or macOS; the client commands work here")

func lockFile(*os.File) error { return errSystem }

func diskFree(string) (uint64, error) { return 0, errSystem }
