// Package p14mmapdb is an embedded database: ordered keys and values in one file, which all
// who use it have mapped. UNPv2 12, memory-mapped files.
//
// # The commands
//
// Exit status 0, 1 (failed; a line on standard error that begins "mmapdb: "), 2 (usage).
// KEY and VALUE are taken as they are; VALUE - is standard input. A size is a number with
// KB, MB, GB or none, in units of 1024, rounded up to pages of 4096 bytes and printed in the
// greatest unit that divides it (100MB, 4KB).
//
//	create DB [--size=1MB]      Database created: DB (1MB)
//	insert DB KEY VALUE         Inserted at offset N      an old value is replaced
//	insert DB --from=FILE       Inserted N records        one transaction, all or nothing
//	          [--batch=N]                                 one transaction every N lines, and
//	                                                      a line for each: N so far
//	get DB KEY [--raw]          the value and a line feed; --raw: none
//	delete DB KEY               Deleted KEY
//	scan DB [--from=KEY] [--to=KEY] [--prefix=KEY] [--limit=N] [--keys-only] [--reverse]
//	                            KEY TAB VALUE, a line a record; from is in, to is out
//	stat DB                     lines "name: value", beginning with records, transaction
//	check DB                    DB: N records in N pages: OK
//	backup DB COPY              Backup written: COPY (N records)
//	bench [--records=N]         figures of a database of its own
//
// N at an insertion is the byte of the file at which the record's cell begins. insert, delete
// and create wait until all is on the disk; not so with --no-sync.
//
// The lines of --from and scan are one form, so that what scan prints can be read again:
// in key and value a backslash is \\, bytes below 0x20 and 0x7f are \xNN, all others stand
// for themselves. FILE - is standard input. A line without TAB, with another escape, or with
// a key of no or too many bytes is an error that names the line: "FILE:LINE: ...".
//
// Errors that name their cause: a key that is not there ("mmapdb: KEY: no such key", status
// 1), "not a database of mmapdb", "damaged", and the system's own ("file exists",
// "no such file or directory", "no space left on device", "permission denied", ...).
//
// # Use
//
//	db, err := p14mmapdb.Open("mydata.db", p14mmapdb.Options{})
//	err = db.Update(ctx, func(t *p14mmapdb.Tx) error { return t.Put(key, value) })
//	err = db.View(func(t *p14mmapdb.Tx) error { value, err = t.Get(key); ... })
//
// A state of the database is a copy-on-write B+tree. [DB.View] reads the newest one, without a
// lock and without a copy; [DB.Update] makes the next one, alone, and returns when it is on
// the disk. The file, the lock file and the rules for both are in layout.go.
//
// # Caveats
//
//   - What [Tx.Get] and [Cursor.Record] return is the file itself, for reading only (writing
//     is a fault that ends the program), and until the function given to View or Update
//     returns. Later those bytes are other records.
//   - A View that takes long keeps all pages that were freed since, and the file grows.
//   - Update within Update, and Close within either, wait for ever.
//   - A transaction's changed pages are in memory until it is committed.
//   - A file that is cut off while it is open is an error of View and Update, and a fault
//     in what they have returned.
//   - The lock file may be removed when nobody has the database open, and not before.
//   - A page is not verified when it is read, but by [DB.Check], by [DB.Backup], and when it
//     is copied for a change, unless this writer has written or verified it and nobody else
//     has written since.
//   - Locks and shared memory are those of one machine: not for NFS. Little-endian machines.
package p14mmapdb
