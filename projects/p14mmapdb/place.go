package p14mmapdb

import (
	"cmp"
	"slices"
)

// give is what the transaction gives up, in runs that are as long as they can be.
func (c *commit) give() {
	given := c.write.freed
	slices.SortFunc(given, func(a, b extent) int { return cmp.Compare(a.page, b.page) })
	for _, e := range given {
		if n := len(c.freed); n > 0 && c.freed[n-1].page+c.freed[n-1].run == e.page {
			c.freed[n-1].run += e.run
		} else {
			c.freed = append(c.freed, freed{e, c.next.tx})
		}
	}
}

// number gives every page its place: side by side, where that is possible, so that few
// writes do. Branches and the log will be given up much sooner than leaves. They are kept
// apart, so that what they leave behind can be used together again.
func (c *commit) number() {
	nodes := c.write.nodes
	for i := range nodes {
		if n := &nodes[i]; len(n.bytes) == pageSize {
			c.want++
			if n.bytes[16] == kindBranch {
				c.early++
			}
		}
	}
	if len(c.freed) > 0 {
		c.want, c.early = c.want+1, c.early+1
	}
	c.search = min(sweepWords+int(c.want), len(c.db.free.bits))
	c.place(func(n *node) bool { return n.bytes[16] == kindBranch })
	if len(c.freed) > 0 {
		c.logAt = append(c.logAt, c.allocate(1))
	}
	c.place(func(n *node) bool { return n.bytes[16] != kindBranch })
}

// place gives some of the pages their numbers.
func (c *commit) place(which func(*node) bool) {
	for i := range c.write.nodes {
		if n := &c.write.nodes[i]; n.bytes != nil && which(n) {
			n.number = c.allocate(uint32(len(n.bytes) / pageSize))
		}
	}
}

// allocate is a run of pages for this state: of those that were taken together, or free
// ones, or new ones.
func (c *commit) allocate(run uint32) uint32 {
	if run == 1 && c.want > 0 {
		c.gather()
		c.want--
		c.early -= min(c.early, 1)
	}
	page, ok := c.run.page, run == 1 && c.run.run > 0
	if ok {
		c.run.page++
		c.run.run--
		return page
	}
	if run > 1 || c.want < worthwhile || c.db.free.n >= int(c.next.pages)/scattered {
		page, ok = c.db.free.take(run)
	}
	if ok {
		c.take(extent{page, run})
		return page
	}
	page = c.next.pages
	c.next.pages += run
	return page
}

const (
	// worthwhile is how many pages side by side are worth a search where more are wanted.
	worthwhile = 8
	// scattered is the part of all pages that may be free before a transaction that wants
	// many takes them one by one: until then it adds to the file, and they get neighbours.
	scattered = 16
)

// gather takes pages for what is still to be placed, side by side.
func (c *commit) gather() {
	if c.run.run > 0 || c.want < 2 {
		return
	}
	c.run = c.db.free.sweep(min(c.want, worthwhile), c.want, &c.search)
	if c.run.run == 0 && 1 < c.early && c.early < worthwhile {
		again := sweepWords
		c.run = c.db.free.sweep(c.early, c.early, &again)
	}
	if c.run.run > 0 {
		c.take(c.run)
	}
}

// take notes that pages are no longer free.
func (c *commit) take(e extent) {
	if n := len(c.taken); n > 0 && c.taken[n-1].page+c.taken[n-1].run == e.page {
		c.taken[n-1].run += e.run
	} else {
		c.taken = append(c.taken, e)
	}
}
