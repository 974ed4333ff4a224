// Package cache is what one server of the store keeps in POSIX shared memory for readers
// on the same host: the keys that were written last, and how old that knowledge may be.
//
// One process writes, any number read. A reader takes no lock, makes no system call, maps
// the object for reading only, and so cannot delay the writer, wherever it is stopped or
// killed, nor damage what others read. What it is told is either an entry as it once was,
// whole, no older than the index that comes with it, or that the key is not here, which
// says nothing about the key: it may have been evicted, or deleted, or never put.
//
// # Layout
//
// All integers are in the byte order of the host. ref/cache.h has the same for C.
//
//	   0  header: magic, version, sizes, the server's pid, a CRC-32C of them; never changed
//	  64  mutex: robust, shared; the writer holds it from before the magic is there to its end
//	 128  reserved  where the next record goes: a position, in words of 8 bytes, never smaller
//	 136  applied   every write up to this index of the log is in here, or evicted
//	 144  as of     when that was known: CLOCK_BOOTTIME, ns
//	 152  closed    1: the writer has ended, or another has taken its place
//	4096  index: buckets of 8 slots; a slot is the position of a record, 0 is none
//	 ...  arena: records, from word (position modulo the arena's words) on
//
//	record: hash of the key | revision | length of key, of value << 32 | CRC-32C | key value
//
// The hash is FNV-1a of 64 bits, and the bucket is its low bits. The CRC is over the
// record's position and all of the record but itself.
//
// # Why nothing is ever torn
//
// A put writes a record where nobody looks yet and then stores its position in a slot: one
// word, so that a reader finds the old value or the new one, and a writer that is killed
// between any two instructions leaves one of both. A delete stores 0.
//
// The arena is used round and round, and a new record destroys the oldest ones. The writer
// says so first, by reserved: a record is there as long as reserved - position is not more
// than the arena's words. A reader copies a record, looks at reserved again, and takes the
// copy only if it is there still. That is how entries are evicted, too; a full bucket
// evicts its oldest. The CRC is for damage from outside.
//
// # Who is alive
//
// The kernel marks the word of a robust mutex when its owner ends, however it does
// (FUTEX_OWNER_DIED, get_robust_list(2)). Readers look at that word and never lock. The next
// server under the same name locks, is told EOWNERDEAD, and puts a new object in the place
// of the old one; a living owner keeps it out ([ErrInUse]).
//
// # Caveats
//
//   - Who may write the object, which is the same user or root, can make it say anything; what
//     is guaranteed then is that nothing outside of it is read, and that random damage is
//     noticed. An object that is made shorter is [ErrDamaged] in Go; C is ended by SIGBUS.
//   - How old the content may be is what the writer has said by [Writer.Beat], in the time of
//     this boot. A server that is stopped says nothing, and the age grows.
package cache
