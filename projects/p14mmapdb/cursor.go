package p14mmapdb

import (
	"unsafe"

	"unpipc/gobind/ordered"
)

// Cursor goes through the records in the order of their keys. A change in the transaction
// makes it useless.
type Cursor struct {
	t     *Tx
	leaf  *page           // nil: at no record
	i, n  int             // the record, and how many the leaf has
	stack [maxDepth]place // the branches above, from the root on
	depth int             // how many of them there are
	err   error
	ahead *page // the leaf after this one; nil: not known
	part  int   // bytes of it that are fetched with each record of this one
}

// line is how many bytes the CPU fetches at once.
const line = 64

type place struct {
	p *page
	i int
}

// Cursor is a new cursor, not at a record yet.
func (t *Tx) Cursor() *Cursor { return &Cursor{t: t} }

// First goes to the first record. false: there is none, or Err.
func (c *Cursor) First() bool { return c.edge(false) }

// Last goes to the last record.
func (c *Cursor) Last() bool { return c.edge(true) }

func (c *Cursor) edge(last bool) bool {
	c.leaf, c.ahead, c.depth, c.err = nil, nil, 0, nil
	return c.t.root != 0 && c.down(c.t.root, last)
}

// down goes from a page, below the branches there are, to its first or last record.
func (c *Cursor) down(number uint32, last bool) bool {
	for {
		p, err := c.t.page(number, c.t.depth-uint32(c.depth))
		if err != nil {
			return c.fail(err)
		}
		i := 0
		if last {
			i = p.count() - 1
		}
		if p.leaf() {
			c.leaf, c.i, c.n = p, i, p.count()
			return true
		}
		c.stack[c.depth] = place{p, i}
		c.depth++
		number = p.child(i)
	}
}

func (c *Cursor) fail(err error) bool {
	c.leaf, c.err = nil, err
	return false
}

// Seek goes to the record of a key or, if there is none, to the next one.
func (c *Cursor) Seek(key []byte) bool {
	c.leaf, c.ahead, c.depth, c.err = nil, nil, 0, nil
	number := c.t.root
	if number == 0 {
		return false
	}
	for {
		p, err := c.t.page(number, c.t.depth-uint32(c.depth))
		if err != nil {
			return c.fail(err)
		}
		if p.leaf() {
			i, _, bad := p.position(key)
			if bad {
				return c.fail(c.t.cellError(p))
			}
			c.leaf, c.i, c.n = p, i-1, p.count()
			return c.Next()
		}
		i, bad := p.branchTo(key)
		if bad {
			return c.fail(c.t.cellError(p))
		}
		c.stack[c.depth] = place{p, i}
		c.depth++
		number = p.child(i)
	}
}

// SeekBefore goes to the last record whose key is less than key.
func (c *Cursor) SeekBefore(key []byte) bool {
	if c.Seek(key) {
		return c.Prev()
	}
	return c.err == nil && c.Last()
}

// Next goes to the next record. false: there is none, or Err.
func (c *Cursor) Next() bool {
	if c.leaf != nil && c.i+1 < c.n {
		if at := c.i * c.part; c.ahead != nil && at < pageSize {
			ordered.Prefetch(&c.ahead[at], c.part)
		}
		c.i++
		return true
	}
	return c.over(1)
}

// Prev goes to the record before.
func (c *Cursor) Prev() bool {
	if c.leaf != nil && c.i > 0 {
		c.i--
		return true
	}
	return c.over(-1)
}

// over goes to the next or the previous leaf.
func (c *Cursor) over(by int) bool {
	if c.leaf == nil {
		return false
	}
	for c.leaf = nil; c.depth > 0; c.depth-- {
		at := &c.stack[c.depth-1]
		if i := at.i + by; i >= 0 && i < at.p.count() {
			at.i = i
			there := c.down(at.p.child(i), by < 0)
			c.fetch(by)
			return there
		}
	}
	return false
}

// fetch has the CPU bring the leaf that was come to, unless that is on its way. Going forward,
// the one after it is brought by and by: the cells are in no order that the CPU would guess,
// and all at once would be in the way of what is read now.
func (c *Cursor) fetch(by int) {
	if c.leaf == nil {
		return
	}
	if c.leaf != c.ahead {
		ordered.Prefetch(&c.leaf[0], pageSize)
	}
	c.ahead = nil
	at := c.stack[c.depth-1]
	i := at.i + 1
	if by < 0 || i >= at.p.count() || c.n == 1 {
		return
	}
	if number := at.p.child(i); number-firstPage < c.t.pages-firstPage {
		c.ahead = (*page)(unsafe.Add(c.t.base, int(number)*pageSize))
		c.part = (pageSize/(c.n-1) + line - 1) / line * line
	}
}

// Err is why First, Last, Seek, SeekBefore, Next or Prev was false; nil at the end of the records.
func (c *Cursor) Err() error { return c.err }

// Record is key and value of the record: the bytes of the database, as of [Tx.Get]. Where
// the cursor is at no record the error is [ErrNoKey].
func (c *Cursor) Record() (key, value []byte, err error) {
	if c.leaf == nil {
		return nil, nil, ErrNoKey
	}
	p := unsafe.Pointer(c.leaf)
	at := load16(p, pageHeader+4*c.n+2*c.i)
	if at > pageSize-4 {
		return nil, nil, c.t.cellError(c.leaf)
	}
	lengths := load32(p, at)
	start := at + 4 + int(lengths&0xffff)
	end := start + int(lengths>>16)
	if end > pageSize || start == pageSize {
		return c.far() // nor is there a pointer behind the end of a page
	}
	return unsafe.Slice((*byte)(unsafe.Add(p, at+4)), start-at-4), unsafe.Slice((*byte)(unsafe.Add(p, start)), end-start), nil
}

// far is a record whose value is elsewhere, or empty at the end of the page, or damaged.
func (c *Cursor) far() (key, value []byte, err error) {
	if value, err = c.t.value(c.leaf, c.i); err != nil {
		return nil, nil, err
	}
	return c.leaf.key(c.i), value, nil
}

// Key is the key alone; nil where the cursor is at no record.
func (c *Cursor) Key() []byte {
	if c.leaf == nil {
		return nil
	}
	return c.leaf.key(c.i)
}
