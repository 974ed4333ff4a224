package p14mmapdb

import (
	"bytes"
	"unsafe"
)

// page is a leaf or a branch. The arrays of a page are heads, children (of a branch) and
// cells' places, one behind the other.
type page [pageSize]byte

// kind, count and bounds of the arrays of a page that is read are right, see [page.sane].

func (p *page) count() int  { return pageCount(p[:]) }
func (p *page) leaf() bool  { return p[16] == kindLeaf }
func (p *page) skip() int   { return pageSkip(p[:]) }
func (p *page) bottom() int { return pageBottom(p[:]) }

// first is the first entry that has a key.
func (p *page) first() int {
	if p.leaf() {
		return 0
	}
	return 1
}

// entry is the size of an entry in the arrays.
func (p *page) entry() int {
	if p.leaf() {
		return 6
	}
	return 10
}

// sane says that the arrays are in the page.
func (p *page) sane() bool { return p.count() > 0 && pageHeader+p.entry()*p.count() <= pageSize }

// head is the i-th head, of a page that is sane.
func (p *page) head(i int) uint32 {
	return *(*uint32)(unsafe.Add(unsafe.Pointer(p), pageHeader+4*i))
}

func (p *page) child(i int) uint32 { return le32(p[pageHeader+4*(p.count()+i):]) }

func (p *page) setChild(i int, to uint32) { put32(p[pageHeader+4*(p.count()+i):], to) }

// cellAt is where the i-th cell begins.
func (p *page) cellAt(i int) int {
	n := p.count()
	if p.leaf() {
		return int(le16(p[pageHeader+4*n+2*i:]))
	}
	return int(le16(p[pageHeader+8*n+2*i:]))
}

// key is the key of the i-th entry; nil if its cell is not in the page.
func (p *page) key(i int) []byte {
	at := p.cellAt(i)
	start := at + 4
	if !p.leaf() {
		start = at + 2
	}
	if start > pageSize {
		return nil
	}
	end := start + int(le16(p[at:]))
	if end > pageSize {
		return nil
	}
	return p[start:end:end]
}

// cell is the i-th cell as a whole, of a page that is whole.
func (p *page) cell(i int) []byte {
	at := p.cellAt(i)
	if p.leaf() {
		return p[at : at+leafCell(p[at:])]
	}
	if i == 0 {
		return nil
	}
	return p[at : at+2+int(le16(p[at:]))]
}

// leafCell is the size of the cell that b begins with.
func leafCell(b []byte) int {
	n := 4 + int(le16(b))
	if v := int(le16(b[2:])); v != farValue {
		return n + v
	}
	return n + 8
}

// whole says that every cell is in the page, and that all have room there: then nothing that
// is done with the page is out of bounds.
func (p *page) whole() bool {
	if !p.sane() || p.bottom() < pageHeader+p.entry()*p.count() || p.bottom() > pageSize {
		return false
	}
	room := pageSize - p.bottom()
	for i := p.first(); i < p.count(); i++ {
		at := p.cellAt(i)
		if at < p.bottom() || at > pageSize-2 || p.leaf() && (at > pageSize-4 || at+leafCell(p[at:]) > pageSize) {
			return false
		}
		if k := p.key(i); len(k) > MaxKey || k == nil || len(k) < p.skip() || p.leaf() && len(k) == 0 {
			return false
		}
		if room -= len(p.cell(i)); room < 0 {
			return false
		}
	}
	return true
}

// position is the first entry that is not before key, and whether it is key. bad: a cell is
// not in the page.
func (p *page) position(key []byte) (i int, found, bad bool) {
	lo, hi, skip := p.first(), p.count(), p.skip()
	if lo == hi {
		return lo, false, false
	}
	if skip > 0 {
		k := p.key(lo)
		if len(k) < skip {
			return 0, false, true
		}
		switch bytes.Compare(key[:min(skip, len(key))], k[:skip]) {
		case -1:
			return lo, false, false
		case 1:
			return hi, false, false
		}
	}
	return p.among(key, lo, hi, skip)
}

// among is position among entries lo to hi for a key that begins as they do; found is
// right, too, for one that does not.
func (p *page) among(key []byte, lo, hi, skip int) (i int, found, bad bool) {
	h := head(key, skip)
	n := hi - lo
	for n > 1 {
		half := n >> 1
		lo += half & less(p.head(lo+half-1), h)
		n -= half
	}
	if n == 1 {
		lo += 1 & less(p.head(lo), h)
	}
	for ; lo < hi && p.head(lo) == h; lo++ {
		k := p.key(lo)
		if k == nil {
			return 0, false, true
		}
		if c := bytes.Compare(k, key); c >= 0 {
			return lo, c == 0, false
		}
		// Many equal heads: halve them by their keys.
		if lo+8 < hi && p.head(lo+8) == h {
			return p.amongKeys(key, lo, hi)
		}
	}
	return lo, false, false
}

// amongKeys is position by whole keys.
func (p *page) amongKeys(key []byte, lo, hi int) (i int, found, bad bool) {
	for lo < hi {
		mid := (lo + hi) / 2
		k := p.key(mid)
		if k == nil {
			return 0, false, true
		}
		switch bytes.Compare(k, key) {
		case 0:
			return mid, true, false
		case -1:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo, false, false
}

// branchTo is the child of a branch below which key is.
func (p *page) branchTo(key []byte) (i int, bad bool) {
	i, found, bad := p.position(key)
	if !found {
		i--
	}
	return i, bad
}
