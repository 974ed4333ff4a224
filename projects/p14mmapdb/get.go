package p14mmapdb

import (
	"encoding/binary"
	"unsafe"
)

// How many entries a leaf and a branch have at most.
const (
	leafMost   = (pageSize - pageHeader) / 6
	branchMost = (pageSize - pageHeader) / 10
)

func load16(p unsafe.Pointer, at int) int    { return int(*(*uint16)(unsafe.Add(p, at))) }
func load32(p unsafe.Pointer, at int) uint32 { return *(*uint32)(unsafe.Add(p, at)) }

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
			next := i + half
			if load32(heads, 4*next) <= h {
				i = next
			}
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
		next := i + half
		if load32(heads, 4*next-4) < h {
			i = next
		}
		m -= half
	}
	if load32(heads, 4*i) < h {
		i++
	}
	for ; i < n && load32(heads, 4*i) == h; i++ {
		at := load16(heads, 4*n+2*i)
		if at > pageSize-4 {
			return nil, false
		}
		lengths := load32(p, at)
		start := at + 4 + int(lengths&0xffff)
		if start > pageSize {
			return nil, false
		}
		if string((*page)(p)[at+4:start]) != string(key) {
			continue
		}
		length := int(lengths >> 16)
		if length == farValue || start+length > pageSize {
			value, err := t.value((*page)(p), i)
			return value, err == nil
		}
		return (*page)(p)[start : start+length : start+length], true
	}
	return nil, false
}
