package p14mmapdb

import (
	"bytes"
	"fmt"
	"math"
)

// Report is what [DB.Check] has found in a database that is whole.
type Report struct {
	Transaction uint64
	Records     uint64
	Depth       int
	Pages       int // in use: header, metas, and those below
	Leaves      int
	Branches    int
	Values      int // pages of values that have pages of their own
	Log         int // pages of the log of free pages
	Free        int
}

// checker goes through a state.
type checker struct {
	*Tx
	r    Report
	seen []uint64
}

// Check reads every page that the newest state uses, with its checksum, and looks at
// everything that must be so: order, depth, counts, and that each page has one use and no
// more. Others can write meanwhile. Error: [ErrDamaged].
//
// The state of the other meta page is looked at no further than its checksum. If that is
// wrong, either power failed while the page was written, and then nothing is missing, or
// the page was the newest one, and is damaged, so that the last transaction is lost: this is an
// error, until the next transaction has written the page.
func (db *DB) Check() (Report, error) {
	var r Report
	err := db.View(func(t *Tx) (err error) {
		t.verify = true
		r, err = t.check()
		return err
	})
	return r, err
}

func (t *Tx) check() (Report, error) {
	c := &checker{Tx: t, seen: make([]uint64, (t.pages+63)/64)}
	c.r.Transaction = t.tx
	for _, step := range []func() error{c.fixed, c.tree, c.log, c.rest} {
		if err := step(); err != nil {
			return c.r, err
		}
	}
	return c.r, nil
}

// fixed looks at the header and the meta pages.
func (c *checker) fixed() error {
	if err := checkHeader(c.db.bytes(0, 1)); err != nil {
		return fmt.Errorf("%s: %w", c.db.path, err)
	}
	for at := uint32(1); at < firstPage; at++ {
		if c.metaOK(at) {
			continue
		}
		// It may have been half written.
		ok := false
		if err := c.db.settled(func() { ok = c.metaOK(at) }); err != nil {
			return err
		}
		if !ok {
			return c.db.damaged(at, "the meta page is not valid: its transaction was cut short, or is lost")
		}
	}
	return nil
}

func (c *checker) metaOK(at uint32) bool {
	m, ok := c.db.readMeta(at)
	switch {
	case !ok: // one of zeros was made invalid on purpose, see [DB.erase]
		return bytes.Equal(c.db.bytes(at, 1), make([]byte, pageSize))
	case m.tx > c.tx: // it came after, or it was found not to be whole
		ok, err := c.db.valid(m, math.MaxInt64)
		return ok && err == nil
	}
	return true
}

// use notes the use of pages.
func (c *checker) use(number, run uint32) error {
	if number < firstPage || number >= c.pages || run > c.pages-number {
		return c.db.damaged(number, "a page that is not in use")
	}
	for n := number; n < number+run; n++ {
		if c.seen[n/64]&(1<<(n%64)) != 0 {
			return c.db.damaged(n, "the page has two uses")
		}
		c.seen[n/64] |= 1 << (n % 64)
	}
	return nil
}

func (c *checker) tree() error {
	if c.root != 0 {
		if err := c.subtree(c.root, c.depth, nil, nil); err != nil {
			return err
		}
	}
	c.r.Depth = int(c.depth)
	if c.r.Records != c.records {
		return c.db.damaged(c.at, fmt.Sprintf("%d records, and the meta page says %d", c.r.Records, c.records))
	}
	return nil
}

// subtree looks at a page and those below; its keys are from low up to below high, if those
// are not nil.
func (c *checker) subtree(number, level uint32, low, high []byte) error {
	if err := c.use(number, 1); err != nil {
		return err
	}
	p, err := c.page(number, level)
	if err != nil {
		return err
	}
	if err := c.entries(p, low, high); err != nil {
		return err
	}
	if p.leaf() {
		c.r.Leaves++
		return c.leaf(p)
	}
	c.r.Branches++
	for i := range p.count() {
		from, to := low, high
		if i > 0 {
			from = p.key(i)
		}
		if i+1 < p.count() {
			to = p.key(i + 1)
		}
		if err := c.subtree(p.child(i), level-1, from, to); err != nil {
			return err
		}
	}
	return nil
}

// entries looks at heads, order and bounds of the keys of one page.
func (c *checker) entries(p *page, low, high []byte) error {
	number := pageNumber(p[:])
	var before []byte
	for i := range p.count() {
		if i < p.first() {
			if p.head(i) != 0 || p.cellAt(i) != 0 {
				return c.db.damaged(number, "a first child with a key")
			}
			continue
		}
		key := p.key(i)
		if before != nil && (bytes.Compare(before, key) >= 0 || !bytes.Equal(before[:p.skip()], key[:p.skip()])) ||
			low != nil && bytes.Compare(key, low) < 0 || high != nil && bytes.Compare(key, high) >= 0 {
			return c.db.damaged(number, "keys that are out of order")
		}
		if p.head(i) != head(key, p.skip()) {
			return c.db.damaged(number, "a head that is not its key's")
		}
		before = key
	}
	return nil
}

// leaf looks at the records of a leaf.
func (c *checker) leaf(p *page) error {
	c.r.Records += uint64(p.count())
	for i := range p.count() {
		cell := p.cell(i)
		if number, length, ok := far(cell); ok {
			if err := c.use(number, runOf(length)); err != nil {
				return err
			}
			c.r.Values += int(runOf(length))
		}
		if _, err := c.value(p, i); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) log() error {
	f, err := c.load()
	if err != nil {
		return err
	}
	for _, number := range f.chain {
		if err := c.use(number, 1); err != nil {
			return err
		}
	}
	for _, w := range f.waiting {
		if err := c.use(w.page, w.run); err != nil {
			return err
		}
		c.r.Free += int(w.run)
	}
	c.r.Log = len(f.chain)
	return nil
}

// rest finds pages that have no use and are not free.
func (c *checker) rest() error {
	for n := uint32(firstPage); n < c.pages; n++ {
		if c.seen[n/64]&(1<<(n%64)) == 0 {
			return c.db.damaged(n, "the page has no use, and is not free")
		}
	}
	c.r.Pages = int(c.pages) - c.r.Free
	return nil
}
