package p14mmapdb

import "slices"

// commit is the making of a new state out of what a transaction has changed.
type commit struct {
	*Tx
	next   meta
	want   uint32 // pages that are still to be placed
	early  uint32 // those of them that will be given up early
	run    extent // pages that were taken for them
	search int    // words of the free set that may still be looked through for more
	taken  []extent
	freed  []freed
	logAt  []uint32 // pages for the log
	logged []freed  // what they are to tell
	out    []sealed
}

// reset makes it ready for the next transaction.
func (c *commit) reset() {
	*c = commit{
		taken: emptied(c.taken), freed: emptied(c.freed),
		logAt: emptied(c.logAt), logged: emptied(c.logged), out: emptied(c.out),
	}
}

// sealed is a run of pages that is ready to be written.
type sealed struct {
	page  uint32
	bytes []byte
}

// commit makes the changes a state. The free set is good for nothing after an error.
func (t *Tx) commit() error {
	c := &t.db.commit
	c.Tx, c.next = t, t.meta
	c.next.tx = t.tx + 1
	c.give()
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
	next := c.next // stays when c is used again
	if err := t.db.publish(&next, c.out); err != nil {
		return err
	}
	for i := range t.write.nodes {
		if n := &t.write.nodes[i]; len(n.bytes) == pageSize {
			t.db.known.add(n.number)
		}
	}
	f := t.db.free
	f.waiting = append(f.waiting, c.freed...)
	f.word = next.word()
	t.meta = next
	return nil
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
	if f.n+len(f.waiting)+len(c.freed)+len(f.chain) < maxLogged || len(f.chain) > 16+4*f.base {
		for _, page := range f.chain {
			c.freed = append(c.freed, freed{extent{page, 1}, c.next.tx})
		}
		c.next.log, f.chain, f.base = 0, nil, 0
		c.logPages(func() int { return f.runs() + len(f.waiting) + len(c.freed) })
		f.extents(func(e extent) { c.logged = append(c.logged, freed{e, f.since}) })
		c.logged = append(append(c.logged, f.waiting...), c.freed...)
		f.base = len(c.logAt)
	} else {
		c.logPages(func() int { return len(c.freed) + len(c.taken) })
		for _, e := range c.taken {
			c.logged = append(c.logged, freed{e, 0})
		}
		c.logged = append(c.logged, c.freed...)
	}
	c.logEntries()
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
		for i := range e.run {
			given[e.page+i] = true
		}
	}
	for _, l := range before {
		if !given[l.page] {
			c.next.list = append(c.next.list, l)
		}
	}
}

// logPages allocates pages for as many entries as there are, which allocating changes.
func (c *commit) logPages(entries func() int) {
	for len(c.logAt)*maxLogged < entries() {
		c.logAt = append(c.logAt, c.allocate(1))
	}
}

func (c *commit) logEntries() {
	entries := c.logged
	for _, number := range c.logAt {
		b := c.db.buffers.take()
		clear(b)
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
		m.list = slices.Grow(m.list, len(out))
		for _, s := range out {
			m.list = append(m.list, listed{s.page, uint32(len(s.bytes) / pageSize), pageCRC(s.bytes)})
		}
	}
	m.at = 1
	if db.session.durable.Load()%2 == 0 {
		m.at = 2
	}
	b := db.buffers.take()
	m.encodeTo(b)
	if err := db.writeAt(b, int64(m.at)*pageSize); err != nil {
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
