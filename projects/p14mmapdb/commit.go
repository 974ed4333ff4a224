package p14mmapdb

import (
	"cmp"
	"slices"
)

// commit is the making of a new state out of what a transaction has changed.
type commit struct {
	*Tx
	next  meta
	taken []extent
	freed []freed
	out   []sealed
}

// sealed is a run of pages that is ready to be written.
type sealed struct {
	page  uint32
	bytes []byte
}

// commit makes the changes a state. The free set is good for nothing after an error.
func (t *Tx) commit() error {
	c := &commit{Tx: t, next: t.meta}
	c.next.tx = t.tx + 1
	for _, e := range t.write.freed {
		c.freed = append(c.freed, freed{e, c.next.tx})
	}
	c.number()
	c.writeLog()
	c.inherit()
	c.link()
	if err := t.db.grow(int64(c.next.pages) * pageSize); err != nil {
		return err
	}
	if err := t.db.writePages(c.out); err != nil {
		return err
	}
	if err := t.db.publish(&c.next, c.out); err != nil {
		return err
	}
	for i := range t.write.nodes {
		if n := &t.write.nodes[i]; len(n.bytes) == pageSize {
			t.db.known.add(n.number)
		}
	}
	f := t.db.free
	f.waiting = append(f.waiting, c.freed...)
	f.word = c.next.word()
	t.meta = c.next
	return nil
}

// allocate is a run of pages for this state.
func (c *commit) allocate(run uint32) uint32 {
	if page, ok := c.db.free.take(run); ok {
		if n := len(c.taken); n > 0 && c.taken[n-1].page+c.taken[n-1].run == page {
			c.taken[n-1].run += run
		} else {
			c.taken = append(c.taken, extent{page, run})
		}
		return page
	}
	page := c.next.pages
	c.next.pages += run
	return page
}

// number gives every page its place: side by side if they are few.
func (c *commit) number() {
	nodes := c.write.nodes
	total := uint32(0)
	for i := range nodes {
		total += uint32(len(nodes[i].bytes) / pageSize)
	}
	place, together := uint32(0), false
	if total > 1 && total <= maxListed {
		if place, together = c.db.free.sweep(total); together {
			c.taken = append(c.taken, extent{place, total})
		}
	}
	for i := range nodes {
		run := uint32(len(nodes[i].bytes) / pageSize)
		switch {
		case run == 0:
		case together:
			nodes[i].number = place
			place += run
		default:
			nodes[i].number = c.allocate(run)
		}
	}
}

// resolve is the number of a page that may have got it just now.
func (c *commit) resolve(number uint32) uint32 {
	if number < temporary {
		return number
	}
	return c.write.nodes[number-temporary].number
}

// link puts numbers in the place of indexes, and seals the pages.
func (c *commit) link() {
	c.next.root = c.resolve(c.root)
	for i := range c.write.nodes {
		n := &c.write.nodes[i]
		if n.bytes == nil {
			continue
		}
		if p := (*page)(n.bytes); p[16] == kindBranch {
			for j := range p.count() {
				p.setChild(j, c.resolve(p.child(j)))
			}
		} else if p[16] == kindLeaf && n.far {
			for j := range p.count() {
				cell := p.cell(j)
				if number, _, ok := far(cell); ok {
					put32(cell[len(cell)-8:], c.resolve(number))
				}
			}
		}
		c.seal(n.number, n.bytes)
	}
}

func (c *commit) seal(number uint32, bytes []byte) {
	seal(bytes, number, c.next.tx)
	c.out = append(c.out, sealed{number, bytes})
}

// writeLog tells the log what was taken and given up: by more pages, or by a new log in place
// of the old one if all fits into one page or if the old one has become too long.
func (c *commit) writeLog() {
	f := c.db.free
	if len(c.freed) == 0 && len(c.taken) == 0 {
		return
	}
	var entries []freed
	if f.n+len(f.waiting)+len(c.freed)+len(f.chain) < maxLogged || len(f.chain) > 16+4*f.base {
		for _, page := range f.chain {
			c.freed = append(c.freed, freed{extent{page, 1}, c.next.tx})
		}
		c.next.log, f.chain, f.base = 0, nil, 0
		numbers := c.logPages(func() int {
			entries = entries[:0]
			f.extents(func(e extent) { entries = append(entries, freed{e, f.since}) })
			return len(entries) + len(f.waiting) + len(c.freed)
		})
		entries = append(append(entries, f.waiting...), c.freed...)
		f.base = len(numbers)
		c.logEntries(numbers, entries)
	} else {
		numbers := c.logPages(func() int { return len(c.freed) + len(c.taken) })
		for _, e := range c.taken {
			entries = append(entries, freed{e, 0})
		}
		c.logEntries(numbers, append(entries, c.freed...))
	}
	c.next.logLen = uint32(len(f.chain))
	c.next.free = f.count()
	for _, e := range c.freed {
		c.next.free += e.run
	}
}

// inherit lists what this state needs of the one before, if that was not flushed: it must be
// there, too.
func (c *commit) inherit() {
	before := c.next.list
	c.next.list = nil
	if c.db.session.durable.Load() == c.word() {
		return
	}
	given := map[uint32]bool{}
	for _, e := range c.freed {
		given[e.page] = true
	}
	for _, l := range before {
		if !given[l.page] {
			c.next.list = append(c.next.list, l)
		}
	}
}

// logPages allocates pages for as many entries as there are, which allocating changes.
func (c *commit) logPages(entries func() int) (numbers []uint32) {
	for len(numbers)*maxLogged < entries() {
		numbers = append(numbers, c.allocate(1))
	}
	return numbers
}

func (c *commit) logEntries(numbers []uint32, entries []freed) {
	for _, number := range numbers {
		b := make([]byte, pageSize)
		b[16] = kindLog
		put32(b[pageHeader:], c.next.log)
		n := min(len(entries), maxLogged)
		put16(b[18:], uint16(n))
		for i, e := range entries[:n] {
			put64(b[logAt+16*i:], e.tx)
			put32(b[logAt+16*i+8:], e.page)
			put32(b[logAt+16*i+12:], e.run)
		}
		entries = entries[n:]
		c.seal(number, b)
		c.next.log = number
		f := c.db.free
		f.chain = slices.Insert(f.chain, 0, number)
	}
}

// writePages writes runs of pages, those that are side by side at once.
func (db *DB) writePages(out []sealed) error {
	slices.SortFunc(out, func(a, b sealed) int { return cmp.Compare(a.page, b.page) })
	const limit = 1 << 20
	buffer := db.staging[:0]
	defer func() { db.staging = buffer[:0] }()
	start := uint32(0)
	flush := func() error {
		if len(buffer) == 0 {
			return nil
		}
		err := db.writeAt(buffer, int64(start)*pageSize)
		buffer = buffer[:0]
		return err
	}
	for _, s := range out {
		if int(s.page-start)*pageSize != len(buffer) || len(buffer)+len(s.bytes) > limit {
			if err := flush(); err != nil {
				return err
			}
			start = s.page
		}
		if len(s.bytes) > limit/2 {
			if err := flush(); err != nil {
				return err
			}
			if err := db.writeAt(s.bytes, int64(s.page)*pageSize); err != nil {
				return err
			}
			start = s.page + uint32(len(s.bytes)/pageSize)
			continue
		}
		buffer = append(buffer, s.bytes...)
	}
	return flush()
}

// publish writes the meta page of a state whose pages are written, and makes it the newest one.
func (db *DB) publish(m *meta, out []sealed) error {
	if len(m.list)+len(out) > maxListed {
		if err := db.sync(); err != nil {
			return err
		}
		db.session.durable.Store(db.session.newest.Load())
		m.list = nil
	}
	if m.flushed = len(out) > maxListed; !m.flushed {
		for _, s := range out {
			m.list = append(m.list, listed{s.page, uint32(len(s.bytes) / pageSize), pageCRC(s.bytes)})
		}
	}
	m.at = 1
	if db.session.durable.Load()%2 == 0 {
		m.at = 2
	}
	if err := db.writeAt(m.encode(), int64(m.at)*pageSize); err != nil {
		db.fail(err) // nobody knows what is in the page now
		return err
	}
	if !db.options.NoSync {
		if err := db.sync(); err != nil {
			return err
		}
		db.session.durable.Store(m.word())
	}
	db.state.Store(m)
	db.session.newest.Store(m.word())
	return nil
}
