package log

// FS is the directory that the log lives in. The names given to it are plain file names. Its methods may
// be called concurrently.
type FS interface {
	// List returns the names of the files in the directory, in any order.
	List() ([]string, error)
	// Create makes an empty file for reading and writing. It is an error if the name exists.
	Create(name string) (File, error)
	// Open opens a file for reading and writing.
	Open(name string) (File, error)
	// Rename is atomic. It is durable after SyncDir. The file is not open.
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes earlier creations, renames and removals durable.
	SyncDir() error
}

// File is one file of the log. Its methods may be called concurrently, except Close, and except
// writes among themselves.
type File interface {
	// ReadAt is as in io.ReaderAt.
	ReadAt(p []byte, off int64) (int, error)
	// WriteVec writes the buffers one after another from offset off, all of them or an error. It does
	// not keep them.
	WriteVec(bufs [][]byte, off int64) error
	// WriteSync is WriteVec at the end of what the file holds, and makes these bytes durable. Of what was written before
	// and not synced it promises nothing. Behind them may be zeros afterwards, as far as the file holds nothing of
	// use; it may be longer.
	WriteSync(bufs [][]byte, off int64) error
	// Sync makes the contents and the length durable; other metadata need not be.
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
	Close() error
}
