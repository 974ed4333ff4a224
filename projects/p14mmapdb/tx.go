package p14mmapdb

import (
	"errors"
	"fmt"
	"unsafe"
)

var (
	// ErrNoKey is in the error for a key that is not in the database.
	ErrNoKey = errors.New("no such key")
	// ErrKeyLength is in the error for a key of no or of more than [MaxKey] bytes.
	ErrKeyLength = fmt.Errorf("a key has 1 to %d bytes", MaxKey)
	// ErrValueLength is in the error for a value of more than [MaxValue] bytes.
	ErrValueLength = fmt.Errorf("a value has at most %d bytes", MaxValue)
	// ErrReadOnly is in the error for a change in [DB.View].
	ErrReadOnly = errors.New("the transaction is for reading only")
)

// Tx is one state of the database, and in [DB.Update] the one that is being made of it. It
// ends when the function that was given it returns. One goroutine uses it at a time.
type Tx struct {
	db   *DB
	base unsafe.Pointer
	meta
	verify bool // compare the checksum of every page that is read
	write  *changes
}

// temporary is added to the index of a page that has no number yet.
const temporary = 1 << 31

// damaged is an error about a place in the file.
func (db *DB) damaged(page uint32, what string) error {
	return fmt.Errorf("%s: %w at byte %d: %s", db.path, ErrDamaged, int64(page)*pageSize, what)
}

// node is a page, or the run of a value, that has no number yet.
func (t *Tx) node(number uint32) []byte {
	if number < temporary || t.write == nil || int(number-temporary) >= len(t.write.nodes) {
		return nil
	}
	return t.write.nodes[number-temporary].bytes
}

// page is a page of the tree, at a level: 1 is a leaf.
func (t *Tx) page(number, level uint32) (*page, error) {
	var p *page
	if b := t.node(number); b != nil {
		return (*page)(b), nil
	}
	if number < firstPage || number >= t.pages {
		return nil, t.db.damaged(number, "a page that is not in use")
	}
	p = (*page)(unsafe.Add(t.base, int(number)*pageSize))
	kind := byte(kindBranch)
	if level == 1 {
		kind = kindLeaf
	}
	if pageNumber(p[:]) != number || p[16] != kind || !p.sane() {
		return nil, t.db.damaged(number, "not the page that belongs there")
	}
	if t.verify && (pageCRC(p[:]) != checksum(p[4:]) || !p.whole() || pageTx(p[:]) > t.tx) {
		return nil, t.db.damaged(number, "a page's checksum is wrong")
	}
	return p, nil
}

func (t *Tx) cellError(p *page) error {
	return t.db.damaged(pageNumber(p[:]), "a cell is not in its page")
}

// find is the leaf in which a key is, or would be; nil when the database is empty.
func (t *Tx) find(key []byte) (*page, error) {
	number := t.root
	for level := t.depth; level > 0; level-- {
		p, err := t.page(number, level)
		if err != nil || level == 1 {
			return p, err
		}
		i, bad := p.branchTo(key)
		if bad {
			return nil, t.cellError(p)
		}
		number = p.child(i)
	}
	return nil, nil
}

// Get is the value of a key: the bytes of the database itself, not to be changed, and gone
// at the end of the transaction or, in [DB.Update], at the next change.
// Errors: [ErrNoKey]; [ErrDamaged].
func (t *Tx) Get(key []byte) ([]byte, error) {
	if t.write == nil && !t.verify {
		if value, ok := t.lookup(key); ok {
			return value, nil
		}
	}
	p, err := t.find(key)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, ErrNoKey
	}
	i, found, bad := p.among(key, 0, p.count(), p.skip())
	switch {
	case bad:
		return nil, t.cellError(p)
	case !found:
		return nil, ErrNoKey
	}
	return t.value(p, i)
}

// value is the value of a leaf's i-th record, whose key is in the page.
func (t *Tx) value(p *page, i int) ([]byte, error) {
	at := p.cellAt(i)
	if at > pageSize-4 {
		return nil, t.cellError(p)
	}
	start := at + 4 + int(le16(p[at:]))
	length := int(le16(p[at+2:]))
	if length == farValue {
		if start+8 > pageSize {
			return nil, t.cellError(p)
		}
		return t.farValue(le32(p[start:]), int(le32(p[start+4:])))
	}
	end := start + length
	if end > pageSize {
		return nil, t.cellError(p)
	}
	return p[start:end:end], nil
}

// farValue is a value in pages of its own.
func (t *Tx) farValue(number uint32, length int) ([]byte, error) {
	if b := t.node(number); len(b) >= pageHeader+length {
		return b[pageHeader:][:length:length], nil
	}
	run := runOf(length)
	if number < firstPage || number >= t.pages || length > MaxValue || run > t.pages-number {
		return nil, t.db.damaged(number, "a page that is not in use")
	}
	b := unsafe.Slice((*byte)(unsafe.Add(t.base, int(number)*pageSize)), int(run)*pageSize)
	if pageNumber(b) != number || pageKind(b) != kindValue {
		return nil, t.db.damaged(number, "not the value that belongs there")
	}
	if t.verify && (pageCRC(b) != checksum(b[4:]) || pageTx(b) > t.tx) {
		return nil, t.db.damaged(number, "a value's checksum is wrong")
	}
	return b[pageHeader:][:length:length], nil
}

// Offset is the byte of the file at which the cell of a key's record begins: length of the
// key (2), length of the value (2), key, value. In [DB.Update] it is known after the
// commit only, see [Tx.OnCommit].
func (t *Tx) Offset(key []byte) (int64, error) {
	p, err := t.find(key)
	if err != nil {
		return 0, err
	}
	if p != nil {
		if i, found, _ := p.among(key, 0, p.count(), p.skip()); found {
			return int64(pageNumber(p[:]))*pageSize + int64(p.cellAt(i)), nil
		}
	}
	return 0, ErrNoKey
}

// Records is the number of records.
func (t *Tx) Records() uint64 { return t.records }

// Transaction is the number of the transaction that made this state.
func (t *Tx) Transaction() uint64 { return t.tx }
