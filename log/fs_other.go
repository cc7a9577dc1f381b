//go:build !linux

package log

// WriteVec writes one buffer after another: the systems this is for have no positioned gathered
// write that Go offers portably.
func (f *osFile) WriteVec(bufs [][]byte, off int64) error {
	for _, b := range bufs {
		n, err := f.WriteAt(b, off)
		if err != nil {
			return err
		}
		off += int64(n)
	}
	return nil
}

// Sync is os.File's: F_FULLFSYNC on macOS, FlushFileBuffers on Windows.
func (f *osFile) Sync() error { return f.File.Sync() }

// WriteSync writes, and syncs all.
func (f *osFile) WriteSync(bufs [][]byte, off int64) error {
	if err := f.WriteVec(bufs, off); err != nil {
		return err
	}
	return f.Sync()
}

// Only Linux writes past the page cache.
type directIO struct{}

func newDirectIO() *directIO { return nil }

type directFile struct{ io *directIO }

func (d *directFile) forget() {}

func (d *directFile) close() error { return nil }
