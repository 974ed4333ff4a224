// Package p09reclock is a store of keys and values that any number of processes use at
// once: UNPv2 9, record locking.
//
//	kvstore.db                                     kvstore.db.lock
//	┌────────┬──────────────────┬───────────────┐  ┌─────────┬───────────────┐  ┌──────────┐
//	│ header │ table of chains  │ records ──►   │  │ session │ a counter a   │  │ a byte a │
//	│        │ (links to them)  │ only appended │  │         │ bucket        │  │ bucket   │
//	└────────┴──────────────────┴───────────────┘  └─────────┴───────────────┘  └──────────┘
//	                                                shared memory                 locks
//
// # The file
//
// The file is a log. A set appends a record with the key, the value and their checksums, a
// deletion one that says so; then the head of the key's chain in the table is made to lead
// to it. Nothing but links is ever overwritten, so an old record is there until the file is
// written anew (see below), and the table follows from the records: the last one of a key
// counts. All numbers are little-endian:
//
//	header                              record, at a multiple of 32
//	 0  8  "unpkvs01"                    0  4  CRC-32C of salt, position, bytes 4 to 24
//	 8  8  seed of the hash              4  4  CRC-32C of key and value
//	16  8  salt of the checks            8  4  length of the key; bit 31: it was deleted
//	24  4  the table has 2^this chains  12  4  length of the value
//	32  8  base: end of the records     16  8  hash of the key
//	       a new file began with        24  8  link to the next record of the chain
//	40  8  size of the new file         32     key, value, zeros
//	56  4  CRC-32C of bytes 0 to 56
//
// A link is a position of 48 bits and a check of 16, over the salt, the link's own place and
// the position. The file's end is zero, written ahead.
//
// # Locks
//
// The upper 12 bits of a key's hash are its bucket. A bucket's lock is one byte of the lock
// file, far beyond its end; whoever writes in the bucket holds it, alone. Room at the end of
// the file is reserved by compare-and-swap on a word in the lock file, which all have mapped:
// that is the only thing that writers of different buckets share.
//
//	1  lock the bucket's byte
//	2  note the record's place in the bucket's state, make the bucket's counter odd
//	3  pwrite the record, pwrite the link to it
//	4  fdatasync
//	5  make the counter even, unlock
//
// Readers take no lock: they look at the counter, read, and look again. If it is odd or has
// changed, they take the lock after all. So what is read was flushed before.
//
// The locks are in a file of their own since any close of the store's file, by whatever
// package, would drop them; see [unpipc/gobind/reclock].
//
// # Death
//
// A process that is killed leaves its lock to the kernel, which takes it away, and its counter
// odd. The next one in that bucket finishes: a record that was written as a whole counts, one
// that was not never was. A store that is being written anew is replaced by rename, and a
// counter that is left odd in the lock file tells the next one to do it again.
//
// # Power
//
// A set that has returned has its record on the disk. What the table says is not relied on
// after a crash of the system: a lock file that is of another boot of the machine is worth
// nothing, the log is read from its beginning, and a new file with a new table is made of it.
// Records that were being written are told by a sector that is still zero; anything else that
// has a wrong checksum is damage, which is reported and never overwritten.
//
// # Growth
//
// When there are twice as many keys as chains, or more garbage than records that count, one
// process locks all buckets and writes a new file.
//
// # Caveats
//
// The lock file belongs to the store: it may be removed when nobody uses the store, never
// while somebody does. Copy the store's file with nobody writing. A file system whose device
// fails and which is mounted again without a reboot needs its lock file removed by hand. Locks
// and shared memory are those of one machine: not for NFS.
package p09reclock
