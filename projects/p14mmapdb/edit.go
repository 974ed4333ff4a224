package p14mmapdb

import (
	"bytes"
	"slices"
)

// reset makes an empty page of a kind.
func (p *page) reset(kind byte) {
	clear(p[:])
	p[16] = kind
	put16(p[22:], pageSize)
}

// widths are the sizes of the arrays' elements.
func (p *page) widths() []int {
	if p.leaf() {
		return leafWidths
	}
	return branchWidths
}

var (
	leafWidths   = []int{4, 2}
	branchWidths = []int{4, 4, 2}
)

// gap is the room between the arrays and the cells.
func (p *page) gap() int { return p.bottom() - pageHeader - p.entry()*p.count() }

// used is what the entries take, without the holes between cells.
func (p *page) used() int {
	n := p.entry() * p.count()
	for i := range p.count() {
		n += len(p.cell(i))
	}
	return n
}

// insert puts an entry before the i-th one, if there is room for it.
func (p *page) insert(i int, cell []byte, child uint32) bool {
	need := p.entry() + len(cell)
	if p.gap() < need {
		if pageSize-pageHeader-p.used() < need {
			return false
		}
		p.compact()
	}
	n := p.count()
	end := pageHeader + p.entry()*n
	w := p.widths()
	// The last array first, as all move away from the header.
	for k := len(w) - 1; k >= 0; k-- {
		from := end - w[k]*n
		to := from
		for _, before := range w[:k] {
			to += before
		}
		copy(p[to+w[k]*(i+1):], p[from+w[k]*i:end])
		copy(p[to:], p[from:from+w[k]*i])
		end = from
	}
	put16(p[18:], uint16(n+1))
	at := 0
	if cell != nil {
		at = p.bottom() - len(cell)
		copy(p[at:], cell)
		put16(p[22:], uint16(at))
	}
	p.setEntry(i, at, child)
	p.fixSkip(i)
	return true
}

// setEntry fills an entry in but for its head.
func (p *page) setEntry(i, at int, child uint32) {
	n := p.count()
	if p.leaf() {
		put16(p[pageHeader+4*n+2*i:], uint16(at))
		return
	}
	put32(p[pageHeader+4*n+4*i:], child)
	put16(p[pageHeader+8*n+2*i:], uint16(at))
}

func (p *page) setHead(i, skip int) {
	h := uint32(0)
	if i >= p.first() {
		h = head(p.key(i), skip)
	}
	put32(p[pageHeader+4*i:], h)
}

// fixSkip makes heads right after an insertion of entry i: what all keys have in common can
// only have changed if it is the first or the last.
func (p *page) fixSkip(i int) {
	first, last := p.first(), p.count()-1
	skip := p.skip()
	if i <= first || i == last {
		best := 0
		if last > first {
			best = common(p.key(first), p.key(last))
		}
		if best != skip {
			put16(p[20:], uint16(best))
			for j := range p.count() {
				p.setHead(j, best)
			}
			return
		}
	}
	p.setHead(i, skip)
}

// common is the length of what a and b have in common at the beginning.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// remove takes the i-th entry out. The cell's bytes become a hole.
func (p *page) remove(i int) {
	n := p.count()
	w := p.widths()
	from, to := pageHeader, pageHeader
	for _, size := range w {
		copy(p[to:], p[from:from+size*i])
		copy(p[to+size*i:], p[from+size*(i+1):from+size*n])
		from += size * n
		to += size * (n - 1)
	}
	put16(p[18:], uint16(n-1))
	switch {
	case n == 1:
		put16(p[22:], pageSize)
		put16(p[20:], 0)
	case !p.leaf() && i == 0:
		// What was child 1 has no key now.
		p.setEntry(0, 0, p.child(0))
		put32(p[pageHeader:], 0)
	}
	if !p.leaf() && p.count() == 1 {
		put16(p[20:], 0)
		put16(p[22:], pageSize)
	}
}

// entry is an entry outside its page.
type entry struct {
	cell  []byte
	child uint32
}

// entries are those of a page, with cells in a copy of it.
func (p *page) entries(extra int) []entry {
	saved := *p
	all := make([]entry, p.count(), p.count()+extra)
	for i := range all {
		all[i].cell = saved.cell(i)
		if !p.leaf() {
			all[i].child = saved.child(i)
		}
	}
	return all
}

// fill makes a page of entries, which fit.
func (p *page) fill(kind byte, all []entry) {
	p.reset(kind)
	put16(p[18:], uint16(len(all)))
	bottom := pageSize
	for i, e := range all {
		if i < p.first() {
			p.setEntry(i, 0, e.child)
			continue
		}
		bottom -= len(e.cell)
		copy(p[bottom:], e.cell)
		p.setEntry(i, bottom, e.child)
	}
	put16(p[22:], uint16(bottom))
	first, last := p.first(), len(all)-1
	skip := 0
	if last > first {
		skip = common(p.key(first), p.key(last))
	}
	put16(p[20:], uint16(skip))
	for i := range all {
		p.setHead(i, skip)
	}
}

// compact closes the holes between cells.
func (p *page) compact() { p.fill(p[16], p.entries(0)) }

// split moves the upper part of the entries, one more of them before the i-th, to right.
// separator is not less than any key that stays, and not greater than any in right.
// atEnd: only the new one, the last, goes.
func (p *page) split(right *page, i int, cell []byte, child uint32, atEnd bool) (separator []byte) {
	kind := p[16]
	all := slices.Insert(p.entries(1), i, entry{bytes.Clone(cell), child})
	at := len(all) - 1
	if !atEnd {
		at = halves(all, p.entry())
	}
	if kind == kindLeaf {
		a, b := cellKey(all[at-1].cell), cellKey(all[at].cell)
		separator = bytes.Clone(b[:min(common(a, b)+1, len(b))])
	} else {
		separator = bytes.Clone(all[at].cell[2:])
		all[at].cell = nil
	}
	right.fill(kind, all[at:])
	p.fill(kind, all[:at])
	return separator
}

func cellKey(cell []byte) []byte { return cell[4 : 4+int(le16(cell))] }

// halves is where entries are cut into two parts of about the same size, each of which fits
// into a page.
func halves(all []entry, size int) int {
	total := 0
	for _, e := range all {
		total += size + len(e.cell)
	}
	best, at, left := total, 0, 0
	for i := 1; i < len(all); i++ {
		left += size + len(all[i-1].cell)
		if larger := max(left, total-left); larger < best {
			best, at = larger, i
		}
	}
	return at
}

// branchCell is the cell of a key in a branch.
func branchCell(key []byte) []byte {
	b := make([]byte, 2+len(key))
	put16(b, uint16(len(key)))
	copy(b[2:], key)
	return b
}
