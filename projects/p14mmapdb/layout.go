package p14mmapdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// What every program that opens a database must agree on. All numbers are little-endian;
// "crc" is CRC-32C (Castagnoli, as in iSCSI: reflected, begun with and ended by ~0).
//
// # The file
//
// Pages of 4096 bytes, numbered from 0 by their place. Page 0 is the header and never
// changes. Pages 1 and 2 are meta pages. All others hold the tree, values that are too
// long for it, and the log of free pages. A page number is 32 bits, less than
// 2^31, and 0 is "none". The
// file may be longer than the pages in use; what is in pages that are not in use means
// nothing.
//
//	header, page 0
//	   0  8  "unpmmdb1"
//	   8  4  version: 1
//	  12  4  size of a page: 4096
//	  16     zeros
//	4092  4  crc of bytes 0 to 4092
//
//	meta, page 1 or 2: one state of the database, the root of all
//	   0  4  crc of bytes 4 to 4096
//	   4  4  number of this page: 1 or 2
//	   8  8  transaction that wrote it: 2 or more, counted up by one
//	  16  8  "unpmmdbm"
//	  24  4  root of the tree, 0 when it is empty
//	  28  4  depth of the tree: 0 when it is empty, 1 when the root is a leaf
//	  32  8  number of records
//	  40  4  pages: those from this number on are not in use (3 or more)
//	  44  4  last page of the log of free pages, 0 when there is none
//	  48  4  number of pages of the log
//	  52  4  number of free pages, as the log has them
//	  56  4  n, the number of entries in the list, 0 to 336
//	  60  4  1: the transaction's pages were flushed before this page was written, and
//	         are not listed (n is 0); 0: all that it wrote are listed, and so is what the
//	         state before listed and this one still needs, unless that was flushed
//	  64     n entries of 12 bytes: page (4), how many pages from there on belong to one
//	         run (4, 1 but for values), their crc as in their header (4); then zeros
//
// Every other page begins with a header. A value's run of pages has one, and one crc.
//
//	   0  4  crc of all from byte 4 to the end of the page, or of the run
//	   4  4  number of this page
//	   8  8  transaction that wrote it
//	  16  1  kind: 1 leaf, 2 branch, 3 value, 4 log
//	  17  1  0
//	  18  2  count; in a value 0
//	  20  2  skip: leaf and branch only, else 0
//	  22  2  bottom: leaf and branch only, else 0
//
//	leaf: count records (1 or more), in ascending order of their keys (as memcmp orders
//	them; a key that begins another one is less)
//	  24  4*count  heads: see below
//	      2*count  where the record's cell begins in the page
//	      a gap, up to bottom
//	bottom  cells, in any order, with gaps; all of them in bottom to 4096. A cell:
//	   0  2  length of the key: 1 to 1024
//	   2  2  length of the value, or 0xffff: it is in pages of its own
//	   4     key
//	         value; or: the value's first page (4) and its length in bytes (4)
//	A value is in the cell when 4 + key + value are 2030 bytes or less, and in pages of its
//	own when they are more. It has at most 64 MiB.
//
//	branch: count children (1 or more)
//	  24  4*count  heads
//	      4*count  the children's page numbers
//	      2*count  where the child's cell begins in the page; of child 0, which has none: 0
//	bottom  cells: length of the key (2), key (0 to 1024 bytes). The keys ascend; all keys
//	        below child i are at least key i, and less than key i+1. Child 0 has no key.
//	All leaves are at the same depth.
//
// A head is four bytes of a key, those behind its first skip bytes, as a number whose first
// byte is the most significant, with zeros for what the key is too short for. All keys of
// the page (of a branch: from child 1 on) have at least skip bytes, and the same ones there.
// So heads ascend, and a search touches a key only where heads are equal. A writer may
// choose any skip for which this holds; of a branch with one child it is 0. The head of a
// branch's child 0 is 0.
//
//	value: a run of (24 + length + 4095) / 4096 pages
//	  24     the value, then zeros
//
//	log: a part of the list of free pages
//	  24  4  page of the log before this one, 0: none
//	  28  4  0
//	  32     count entries (0 to 254) of 16 bytes:
//	         transaction that freed the pages (8), or 0: they were taken into use again;
//	         first page (4), how many (4, 1 or more)
//
// The free pages are what the log says from its first page (that with none before it) to
// its last: entries of transaction t add pages to the set, as freed by t; entries of
// transaction 0 take them out. Every page from 3 up to the meta's "pages" is just one of
// these: in the tree, in a value, in the log, or free.
//
// # Transactions
//
// Pages are never changed while any state needs them. A transaction writes what it changes
// to other pages, and these pages become free as of it: tree pages, values' runs, and
// pages of the log that it replaces. It may take pages that are free as of transaction
// t, if t <= durable (see below) and t <= the snapshot of every reader, and pages from
// "pages" on. It adds log pages to the chain, or writes the whole set as a new chain and
// frees the old one; both are right at any time (this package writes a new chain when the
// set fits in one page, or when the old chain is long beyond need). Where a page is split,
// how a deletion joins pages and which free page is taken is up to the writer; a leaf
// without records is taken out.
//
// Commit, with the writer's lock held:
//
//  1. posix_fallocate the file if pages are to be written beyond its end
//  2. pwrite the pages; the disk may be told to begin (sync_file_range)
//  3. if they do not fit into the list of the meta, with what is to be listed of the state
//     before: fdatasync; durable = newest
//  4. pwrite the meta, to the meta page that does not hold the state of durable
//  5. fdatasync; durable = this transaction     (left out when not syncing)
//  6. newest = this transaction
//
// A transaction is worth something only as a whole: it is valid if its meta's crc is right,
// the file is long enough for "pages", and every run in the list has this page number,
// no later transaction, and this crc, which is also right. The state of a database is its
// valid transaction with the greater number. So one flush is enough: whatever part of a
// transaction is on the disk after a power failure, and in whatever order it came there,
// it is valid only if all of it is there; else the other meta page has the one before,
// of which no page was overwritten.
//
// A flush that fails is final: errno goes to "failed", and nobody writes any more until
// all have closed the database.
//
// # The lock file
//
// DB-lock, for DB: 262,208 bytes, preallocated, mode 0600, mapped shared by all who have
// the database open. Words are read and written atomically, sequentially consistent.
//
//	   0  8  "unpmmdbl" when the session is set up (written last, removed first)
//	   8  4  version: 1
//	  12  4  number of slots: 4096
//	  16  8  newest: the state that is to be read
//	  24  8  durable: the newest state that is known to be on the disk, 0: unknown
//	  32  8  failed: errno of a flush that failed
//	  40  8  used: slots from this number on were never used in this session
//	  64     slots of 64 bytes
//	           0  8  transaction whose state its owner is reading, 0: none
//	           8  8  pid of the owner, 0: none (for people to see)
//
// newest and durable are 2 * transaction + (0: its meta is page 1, 1: it is page 2).
//
// Bytes of the lock file are locked by OFD locks (F_OFD_SETLK): a description is one owner.
//
//	byte 0       held by the writer, for writing
//	byte 1 + i   held for writing by the owner of slot i, for as long as it has the slot
//	byte 2^40    held for reading by all who have the database open
//
// Open:
//
//  1. open DB; it must have a right header. Open or create DB-lock.
//  2. try to lock byte 2^40 for writing. If that fails, lock it for reading (waiting); if
//     the file at DB-lock is then no longer the opened one, begin again; if the session
//     is set up, done; else unlock it, wait for the lock for writing and go on.
//  3. with the lock for writing nobody else is there: if the file at DB-lock is no longer
//     the opened one, begin again; else set the session up, whatever was there. If the old
//     one has "failed", the state is that of its "durable", and a valid meta that is newer
//     is overwritten by zeros, and flushed, and so is the lock file when "failed" is 0 again
//     (an old one must not come back with a power failure). Else the state is the newest valid one.
//     "unpmmdbl" is removed, all words and the slots below the old "used" become 0, newest
//     is set, and then "unpmmdbl".
//  4. turn the lock into one for reading.
//
// Reading: a slot's owner takes newest, writes its transaction to the slot, and looks at
// newest again; if it has changed, once more. Then it reads the meta, which must have
// that transaction and a right crc. If it has not, either newest has changed: once more; or
// it is being overwritten by one who does not sync: with a right crc the greater
// transaction is as good, else once more with byte 0 locked for reading. At its end it
// writes 0. To get a slot, lock its byte, trying from slot 0 on; raise "used". Who may
// not write the lock file has no slot, and holds byte 0 for reading while it reads. Where
// there is no lock file and the file system is read-only nobody writes, and none is needed.
//
// Writing: lock byte 0 for writing. If "failed" is set, give up. If the meta page of newest
// has a greater transaction (its writer did not sync, and died before step 6), this is
// newest. If durable is not newest
// and either it is unknown or this writer syncs: fdatasync, durable = newest. If the meta
// page without the newest state has a greater transaction with a right crc (its writer
// died before step 6): overwrite it with zeros, fdatasync. Then look for the oldest reader:
// a slot with a transaction older than newest whose byte can be locked is a dead one's,
// and becomes 0 with the lock held.

const (
	pageSize = 4096

	headerMagic = "unpmmdb1"
	metaMagic   = "unpmmdbm"
	version     = 1

	firstPage = 3 // the first one that is no header or meta

	pageHeader = 24
	metaListAt = 64
	maxListed  = (pageSize - metaListAt) / 12
	logAt      = 32
	maxLogged  = (pageSize - logAt) / 16

	inlineLimit = 2030 // of a leaf's cell with its value
	farValue    = 0xffff
)

const (
	// MaxKey is the greatest length of a key, in bytes. The least is 1.
	MaxKey = 1024
	// MaxValue is the greatest length of a value, in bytes.
	MaxValue = 64 << 20
)

// The kinds of page.
const (
	kindLeaf = 1 + iota
	kindBranch
	kindValue
	kindLog
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

var (
	// ErrForeign is in errors about files that are no database.
	ErrForeign = errors.New("not a database of mmapdb")
	// ErrDamaged is in errors about files whose content is not what was written.
	ErrDamaged = errors.New("damaged")
)

// Functions, not variables: those would be called where these are a load or a store.

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func put16(b []byte, x uint16) { binary.LittleEndian.PutUint16(b, x) }
func put32(b []byte, x uint32) { binary.LittleEndian.PutUint32(b, x) }
func put64(b []byte, x uint64) { binary.LittleEndian.PutUint64(b, x) }

// encodeHeader is page 0.
func encodeHeader() []byte {
	b := make([]byte, pageSize)
	copy(b, headerMagic)
	put32(b[8:], version)
	put32(b[12:], pageSize)
	put32(b[pageSize-4:], checksum(b[:pageSize-4]))
	return b
}

// checkHeader looks at the beginning of a file.
func checkHeader(b []byte) error {
	switch {
	case len(b) < len(headerMagic) || string(b[:len(headerMagic)]) != headerMagic:
		return ErrForeign
	case len(b) < pageSize:
		return fmt.Errorf("%w: cut off in the header", ErrDamaged)
	case le32(b[pageSize-4:]) != checksum(b[:pageSize-4]):
		return fmt.Errorf("%w: the header's checksum is wrong", ErrDamaged)
	case le32(b[8:]) != version || le32(b[12:]) != pageSize:
		return fmt.Errorf("%w: version %d with pages of %d bytes is not known here", ErrForeign, le32(b[8:]), le32(b[12:]))
	}
	return nil
}

// listed is an entry of a meta's list: a run that the transaction wrote.
type listed struct{ page, run, crc uint32 }

// meta is one state of the database.
type meta struct {
	at      uint32 // its page: 1 or 2
	tx      uint64
	root    uint32
	depth   uint32
	records uint64
	pages   uint32
	log     uint32
	logLen  uint32
	free    uint32
	flushed bool
	list    []listed
}

// word is how the lock file names the state.
func (m *meta) word() uint64 { return 2*m.tx + uint64(m.at-1) }

func (m *meta) encode() []byte {
	b := make([]byte, pageSize)
	m.encodeTo(b)
	return b
}

// encodeTo makes a page of it.
func (m *meta) encodeTo(b []byte) {
	clear(b)
	put32(b[4:], m.at)
	put64(b[8:], m.tx)
	copy(b[16:], metaMagic)
	put32(b[24:], m.root)
	put32(b[28:], m.depth)
	put64(b[32:], m.records)
	put32(b[40:], m.pages)
	put32(b[44:], m.log)
	put32(b[48:], m.logLen)
	put32(b[52:], m.free)
	put32(b[56:], uint32(len(m.list)))
	if m.flushed {
		put32(b[60:], 1)
	}
	for i, l := range m.list {
		e := b[metaListAt+12*i:]
		put32(e, l.page)
		put32(e[4:], l.run)
		put32(e[8:], l.crc)
	}
	put32(b, checksum(b[4:]))
}

// decodeMeta reads meta page at. ok is false if its checksum is wrong or it makes no sense.
func decodeMeta(b []byte, at uint32) (m *meta, ok bool) {
	if string(b[16:24]) != metaMagic || le32(b) != checksum(b[4:pageSize]) {
		return nil, false
	}
	m = &meta{
		at: le32(b[4:]), tx: le64(b[8:]), root: le32(b[24:]), depth: le32(b[28:]), records: le64(b[32:]),
		pages: le32(b[40:]), log: le32(b[44:]), logLen: le32(b[48:]), free: le32(b[52:]), flushed: le32(b[60:]) == 1,
	}
	n := le32(b[56:])
	inUse := func(page uint32) bool { return page == 0 || page >= firstPage && page < m.pages }
	if m.at != at || m.tx < 2 || m.tx >= 1<<62 || m.pages < firstPage || m.pages > 1<<31 || n > maxListed || m.depth > maxDepth ||
		!inUse(m.root) || !inUse(m.log) || (m.root == 0) != (m.depth == 0) {
		return nil, false
	}
	m.list = make([]listed, n)
	for i := range m.list {
		e := b[metaListAt+12*i:]
		m.list[i] = listed{le32(e), le32(e[4:]), le32(e[8:])}
		if l := m.list[i]; l.page < firstPage || l.run == 0 || l.page >= m.pages || l.run > m.pages-l.page {
			return nil, false
		}
	}
	return m, true
}

// maxDepth is more than 2^32 pages can have, with two children a branch.
const maxDepth = 32

// What begins every page but header and metas.
func pageCRC(p []byte) uint32    { return le32(p) }
func pageNumber(p []byte) uint32 { return le32(p[4:]) }
func pageTx(p []byte) uint64     { return le64(p[8:]) }
func pageKind(p []byte) byte     { return p[16] }
func pageCount(p []byte) int     { return int(le16(p[18:])) }
func pageSkip(p []byte) int      { return int(le16(p[20:])) }
func pageBottom(p []byte) int    { return int(le16(p[22:])) }

// seal completes a page, or a run of them, that is to be written.
func seal(p []byte, number uint32, tx uint64) {
	put32(p[4:], number)
	put64(p[8:], tx)
	put32(p, checksum(p[4:]))
}

// runOf is the number of pages of a value.
func runOf(length int) uint32 { return uint32((pageHeader + length + pageSize - 1) / pageSize) }

// head is the four bytes of key behind its first skip ones.
func head(key []byte, skip int) uint32 {
	if skip+4 <= len(key) {
		return binary.BigEndian.Uint32(key[skip:])
	}
	var b [4]byte
	if skip < len(key) {
		copy(b[:], key[skip:])
	}
	return binary.BigEndian.Uint32(b[:])
}

// The lock file.
const (
	lockMagic   = "unpmmdbl"
	lockSlots   = 4096
	slotsAt     = 64
	slotSize    = 64
	lockSize    = slotsAt + lockSlots*slotSize
	writerByte  = 0
	slotByte    = 1
	sessionByte = 1 << 40

	newestAt  = 16
	durableAt = 24
	failedAt  = 32
	usedAt    = 40
)
