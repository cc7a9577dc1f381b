// Package log is what one member remembers: a segmented, append-only log that
// serves as raft's storage and as the spool. It knows raft's records and nothing
// of jobs.
//
// # Who may call
//
// One goroutine, the node's loop, calls the methods that write: Save, Sync, SetBase
// and Close. It also calls raft's: InitialState, Entries, Term, FirstIndex and
// LastIndex. ReadEntry, ReadAt, Retain, Release, Retained and Stats may be called
// from any goroutine at any time. One background goroutine may call Reclaim beside
// all of them; it copies and deletes without holding up Save.
//
// # What a caller can rely on
//
// After Save(…, true) or Sync has returned nil, everything saved so far survives a
// loss of power. What was saved without a sync survives the end of the process, and
// survives a loss of power wholly or not at all, batch by batch, in order: a batch
// that is there has all its predecessors. A batch is what one Save was given.
//
// After a write or a sync has failed, the log has failed for good: every later Save
// and Sync returns that error. A failed sync is never retried, because the kernel may
// have dropped the pages and would then report success.
//
// Entries are shared, not copied. The caller of Save must not change an entry or its
// Data afterwards, nor reuse the buffer that Data lies in; the same holds for the
// entries that Entries and ReadEntry return.
//
// # First index, and where payloads lie
//
// These are separate. SetBase moves the first index, which is all that raft may ask
// for, and touches no file. Retain keeps one entry readable for as long as it is
// needed, also below the first index. Reclaim frees what is neither.
//
// The base is durable in the caller's store, not here. Its duties:
//
//  1. Make a base durable before SetBase. The base given to Open is never lower than
//     one that SetBase was given before; Reclaim may have deleted what lay below.
//  2. After Open, Retain everything that is still needed before the first Reclaim.
//  3. Retain an entry before SetBase passes it. Release it only when the durable state
//     no longer needs it.
//  4. Retain committed entries only. An entry that raft may still overwrite is
//     forgotten with its references when it is.
//  5. Install a snapshot into an empty directory: open it with the snapshot's base, and
//     add the entries that are still needed with NewCarry. SetBase refuses a base that
//     is not in the log.
//
// # What is assumed of the disk
//
// A sector of 512 bytes is written wholly or not at all, and writing one harms no
// other. Between two syncs, sectors reach the disk in any order. A sync that returned
// nil has put them there. A rename is atomic, and durable after the directory's sync;
// without that, creations, renames and removals may each be forgotten. Bits may rot:
// every byte is covered by a CRC-32C, which finds rot but does not withstand malice.
//
// # Torn or damaged
//
// Open reads the last segment whole. Where a batch does not check, the question is
// whether it had ever been synced. Every batch says up to where the segment was known
// to be synced when the batch was written. So:
//
//   - If a later batch of this segment says that the bad one had been synced, that is
//     damage: Open returns a *DamageError and has changed nothing.
//   - Otherwise the bad batch was the last, or belonged to the last ones, which were
//     written but never known to be synced. That is a torn tail: it is cut, and what
//     follows it is erased, so that no old byte comes back to life.
//
// One case cannot be told apart: a batch that was synced, with nothing written after
// it, and then rotted. It is taken for torn. The next batch, WriteNote after a Note, or
// a Close ends that window, since each writes what says that it had been synced.
//
// Sealed segments and carry segments were synced before anything relied on them. Open
// checks their header, index and footer; any mismatch is damage. Their payloads are
// checked when they are read.
//
// # Crashes
//
// Each step below is durable before the next one begins. A crash between two of them
// leaves what the text after the arrow says.
//
// A new segment: sync the old one → nothing has happened. Seal it (index, footer, length) and sync
// it → it is sealed and the last: Open begins a new one. Create the file, or rename a free one,
// and sync the directory → the last segment has no header: Open writes it. Write header and hard
// state and sync → done.
//
// A carry: write the live records, an index and a footer to a .tmp and sync it → Open
// removes the .tmp. Rename it to .carry and sync the directory → both hold the same
// records, the newer is read, and Reclaim finds the older without a use. Remove the old
// segment, or rename it to .free → if that is forgotten, the same again.
//
// A recycled file: rename it to .free, later to its new name, and sync the directory
// before a byte of it is overwritten. So no name ever shows bytes of a later use, and
// since generations are never reused, no use takes an earlier one's records for its own.
package log
