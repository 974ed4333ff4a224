package p14mmapdb

import "bytes"

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

// items are the entries of a page, and one more that is to be the i-th.
type items struct {
	page
	i     int // -1: none
	more  []byte
	child uint32
}

func (s *items) count() int {
	if s.i < 0 {
		return s.page.count()
	}
	return s.page.count() + 1
}

// at is the k-th entry: its cell, and its child in a branch.
func (s *items) at(k int) (cell []byte, child uint32) {
	if k == s.i {
		return s.more, s.child
	}
	if s.i >= 0 && k > s.i {
		k--
	}
	if s.leaf() {
		return s.cell(k), 0
	}
	return s.cell(k), s.page.child(k)
}

// fill makes a page of the entries from one up to another, which fit. A branch's first
// entry loses its key.
func (p *page) fill(s *items, from, to int) {
	p.reset(s.page[16])
	n := to - from
	put16(p[18:], uint16(n))
	bottom := pageSize
	for i := range n {
		cell, child := s.at(from + i)
		if i < p.first() {
			p.setEntry(i, 0, child)
			continue
		}
		bottom -= len(cell)
		copy(p[bottom:], cell)
		p.setEntry(i, bottom, child)
	}
	put16(p[22:], uint16(bottom))
	first, last := p.first(), n-1
	skip := 0
	if last > first {
		skip = common(p.key(first), p.key(last))
	}
	put16(p[20:], uint16(skip))
	for i := range n {
		p.setHead(i, skip)
	}
}

// compact closes the holes between cells.
func (p *page) compact() {
	s := items{page: *p, i: -1}
	p.fill(&s, 0, s.count())
}

// split moves the upper part of the entries, one more of them before the i-th, to right.
// separator is not less than any key that stays, and not greater than any in right.
// atEnd: only the new one, the last, goes.
func (p *page) split(right *page, i int, cell []byte, child uint32, atEnd bool) (separator []byte) {
	s := items{page: *p, i: i, more: cell, child: child}
	at := s.count() - 1
	if !atEnd {
		at = s.half()
	}
	first, _ := s.at(at)
	if s.leaf() {
		before, _ := s.at(at - 1)
		key := cellKey(first)
		separator = bytes.Clone(key[:min(common(cellKey(before), key)+1, len(key))])
	} else {
		separator = bytes.Clone(first[2:])
	}
	right.fill(&s, at, s.count())
	p.fill(&s, 0, at)
	return separator
}

func cellKey(cell []byte) []byte { return cell[4 : 4+int(le16(cell))] }

// half is where entries are cut into two parts of about the same size, each of which fits
// into a page.
func (s *items) half() int {
	n := s.count()
	total := s.used() + s.entry() + len(s.more)
	best, at, left := total, 0, 0
	for i := 1; i < n; i++ {
		cell, _ := s.at(i - 1)
		left += s.entry() + len(cell)
		larger := max(left, total-left)
		if larger > best {
			break
		}
		if larger < best {
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
