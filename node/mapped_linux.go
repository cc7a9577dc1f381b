package node

import (
	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// unmapRead gives back the pages of state.db that are mapped since they were read. They stay in the page cache, but are not resident
// in this process any more: a million jobs would have all of the file be so. It is called within tx, so the map stays where it is.
func unmapRead(tx *bbolt.Tx) {
	if size := tx.Size(); size > 0 {
		// Nothing depends on it.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, tx.DB().Info().Data, uintptr(size), unix.MADV_DONTNEED)
	}
}
