package p14mmapdb

import (
	"encoding/binary"
	"unsafe"

	"unpipc/gobind/ordered"
)

// How many entries a leaf and a branch have at most.
const (
	leafMost   = (pageSize - pageHeader) / 6
	branchMost = (pageSize - pageHeader) / 10
)

// arrays is about as much as header and arrays of a leaf take, in bytes: 28 records' ones. They
// are fetched at once, since the CPU would not know where the next is needed before it has
// the one before.
const arrays = 192

func load16(p unsafe.Pointer, at int) int    { return int(*(*uint16)(unsafe.Add(p, at))) }
func load32(p unsafe.Pointer, at int) uint32 { return *(*uint32)(unsafe.Add(p, at)) }

// less is -1 if a is less than b, and else 0. The two are as likely in a search, so that a
// branch would be mispredicted every other time, and take what was begun behind it along.
func less(a, b uint32) int { return int((int64(a) - int64(b)) >> 63) }

// lookup is the value of a key, if it is found straight on: in every branch by heads alone,
// as if the key began like the branch's own keys. A key that is there is nearly always
// found so, and what is found is right, since it is compared as a whole. Everything else,
// damage included, is left to the long way of [Tx.find].
func (t *Tx) lookup(key []byte) (value []byte, ok bool) {
	number := t.root
	for level := t.depth; level > 0; level-- {
		if number-firstPage >= t.pages-firstPage {
			return nil, false
		}
		p := unsafe.Add(t.base, int(number)*pageSize)
		if level == 1 {
			ordered.Prefetch((*byte)(p), arrays)
		}
		word := *(*uint64)(unsafe.Add(p, 16))
		if load32(p, 4) != number {
			return nil, false
		}
		n, skip := int(word>>16&0xffff), int(word>>32&0xffff)
		var h uint32
		if skip+4 <= len(key) {
			h = binary.BigEndian.Uint32(key[skip:])
		} else {
			h = head(key, skip)
		}
		heads := unsafe.Add(p, pageHeader)
		if level == 1 {
			if byte(word) != kindLeaf || uint(n-1) >= leafMost {
				return nil, false
			}
			return t.lookupLeaf(p, n, h, key)
		}
		if byte(word) != kindBranch || uint(n-1) >= branchMost {
			return nil, false
		}
		// The last child whose head is not greater; that of child 0 is 0.
		i := 0
		for m := n; m > 1; {
			half := m >> 1
			i += half &^ less(h, load32(heads, 4*(i+half)))
			m -= half
		}
		if i > 0 && load32(heads, 4*i) == h {
			if i, ok = (*page)(p).atMost(i, h, key); !ok {
				return nil, false
			}
		}
		number = load32(heads, 4*n+4*i)
	}
	return nil, false
}

// atMost is the last child up to i whose key is not greater than key; those with other
// heads than h are less.
func (p *page) atMost(i int, h uint32, key []byte) (child int, ok bool) {
	for ; i > 0 && p.head(i) == h; i-- {
		k := p.key(i)
		if k == nil {
			return 0, false
		}
		if string(k) <= string(key) {
			break
		}
	}
	return i, true
}

// lookupLeaf looks for a key in a leaf of n records.
func (t *Tx) lookupLeaf(p unsafe.Pointer, n int, h uint32, key []byte) (value []byte, ok bool) {
	heads := unsafe.Add(p, pageHeader)
	i := 0
	for m := n; m > 1; {
		half := m >> 1
		i += half & less(load32(heads, 4*(i+half)-4), h)
		m -= half
	}
	i += 1 & less(load32(heads, 4*i), h)
	for ; i < n && load32(heads, 4*i) == h; i++ {
		at := load16(heads, 4*n+2*i)
		if at > pageSize-4 {
			return nil, false
		}
		lengths := load32(p, at)
		if int(lengths&0xffff) != len(key) {
			continue
		}
		// Not by the cell's own length: reading the value need not wait for that to come.
		start := at + 4 + len(key)
		if start > pageSize {
			return nil, false
		}
		if string((*page)(p)[at+4:start]) != string(key) {
			continue
		}
		length := int(lengths >> 16)
		if length == farValue || start+length > pageSize || start == pageSize {
			value, err := t.value((*page)(p), i)
			return value, err == nil
		}
		return unsafe.Slice((*byte)(unsafe.Add(p, start)), length), true
	}
	return nil, false
}
