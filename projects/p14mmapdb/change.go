package p14mmapdb

import "fmt"

// changes are what a transaction has made so far.
type changes struct {
	nodes    []node
	spare    []uint32 // indexes of nodes that were given up
	freed    []extent // pages of the state before that are no longer needed
	path     []step
	onCommit func(*Tx)
}

// slicesKept is how many elements of a slice are kept for the next transaction.
const slicesKept = 1 << 14

// emptied is a slice for new elements.
func emptied[E any](s []E) []E {
	if cap(s) > slicesKept {
		return nil
	}
	clear(s)
	return s[:0]
}

// reset makes it ready for the next transaction.
func (w *changes) reset() {
	*w = changes{nodes: emptied(w.nodes), spare: emptied(w.spare), freed: emptied(w.freed), path: emptied(w.path)}
}

// node is a page, or the run of a value, that has no number yet.
type node struct {
	bytes  []byte // nil: given up
	number uint32 // once it has one
	far    bool   // a leaf with values that have no number yet
}

// extent is a run of pages.
type extent struct{ page, run uint32 }

// step is a branch on the way to a leaf, and the child that was taken.
type step struct {
	number uint32
	child  int
}

// newNode is a node for bytes.
func (t *Tx) newNode(bytes []byte) uint32 {
	w := t.write
	if n := len(w.spare); n > 0 {
		i := w.spare[n-1]
		w.spare = w.spare[:n-1]
		w.nodes[i] = node{bytes: bytes}
		return temporary + i
	}
	w.nodes = append(w.nodes, node{bytes: bytes})
	return temporary + uint32(len(w.nodes)-1)
}

func (t *Tx) newPage(kind byte) (uint32, *page) {
	b := t.db.buffers.take()
	p := (*page)(b)
	p.reset(kind)
	return t.newNode(b), p
}

// release gives a page, or a run, up.
func (t *Tx) release(number, run uint32) {
	w := t.write
	if number < temporary {
		w.freed = append(w.freed, extent{number, run})
		return
	}
	n := &w.nodes[number-temporary]
	if len(n.bytes) == pageSize {
		t.db.buffers.put(n.bytes)
	}
	n.bytes = nil
	w.spare = append(w.spare, number-temporary)
}

// own is a page that this transaction may change: itself, or a copy of it. A page that is
// not [known] is verified before it is copied, so that damage does not get a right checksum.
func (t *Tx) own(number, level uint32) (uint32, *page, error) {
	p, err := t.page(number, level)
	if err != nil || number >= temporary {
		return number, p, err
	}
	if !t.db.known.has(number) {
		if pageCRC(p[:]) != checksum(p[4:]) || !p.whole() || !t.leadsSomewhere(p) {
			return 0, nil, t.db.damaged(number, "a page's checksum is wrong")
		}
		t.db.known.add(number)
	}
	b := t.db.buffers.take()
	c := (*page)(b)
	*c = *p
	t.release(number, 1)
	return t.newNode(b), c, nil
}

// leadsSomewhere says that the pages that a page of the file leads to are in use.
func (t *Tx) leadsSomewhere(p *page) bool {
	for i := range p.count() {
		to, run := uint32(0), uint32(1)
		if !p.leaf() {
			to = p.child(i)
		} else if number, length, ok := far(p.cell(i)); ok && length <= MaxValue {
			to, run = number, runOf(length)
		} else if !ok {
			continue
		}
		if to < firstPage || to >= t.pages || run > t.pages-to {
			return false
		}
	}
	return true
}

// descend makes the pages on the way to a key this transaction's own. last: it is the last
// way in every branch.
func (t *Tx) descend(key []byte) (number uint32, p *page, last bool, err error) {
	t.write.path = t.write.path[:0]
	if t.root, p, err = t.own(t.root, t.depth); err != nil {
		return 0, nil, false, err
	}
	number, last = t.root, true
	for level := t.depth; level > 1; level-- {
		i, bad := p.branchTo(key)
		if bad {
			return 0, nil, false, t.cellError(p)
		}
		last = last && i == p.count()-1
		t.write.path = append(t.write.path, step{number, i})
		child, c, err := t.own(p.child(i), level-1)
		if err != nil {
			return 0, nil, false, err
		}
		p.setChild(i, child)
		number, p = child, c
	}
	return number, p, last, nil
}

func checkKey(key []byte) error {
	if len(key) == 0 || len(key) > MaxKey {
		return ErrKeyLength
	}
	return nil
}

// Put gives a key a value, instead of the one that it may have. Both are copied.
// Errors: [ErrKeyLength], [ErrValueLength], [ErrReadOnly], [ErrDamaged].
func (t *Tx) Put(key, value []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if len(value) > MaxValue {
		return ErrValueLength
	}
	if t.write == nil {
		return ErrReadOnly
	}
	if t.root == 0 {
		t.root, _ = t.newPage(kindLeaf)
		t.depth = 1
	}
	number, p, last, err := t.descend(key)
	if err != nil {
		return err
	}
	i, found, bad := p.position(key)
	if bad {
		return t.cellError(p)
	}
	cell := t.cell(number, key, value)
	if found {
		old := p.cell(i)
		t.releaseValue(old)
		if len(old) == len(cell) {
			copy(old, cell)
			return nil
		}
		p.remove(i)
	} else {
		t.records++
	}
	return t.insert(number, p, i, cell, 0, last)
}

// cell is a record's cell, in memory that the next call uses again.
func (t *Tx) cell(leaf uint32, key, value []byte) []byte {
	b := append(t.db.cell[:0], 0, 0, 0, 0)
	b = append(b, key...)
	put16(b, uint16(len(key)))
	if len(b)+len(value) <= inlineLimit {
		put16(b[2:], uint16(len(value)))
		b = append(b, value...)
	} else {
		far := make([]byte, int(runOf(len(value)))*pageSize)
		far[16] = kindValue
		copy(far[pageHeader:], value)
		n := len(b)
		b = append(b, make([]byte, 8)...)
		put16(b[2:], farValue)
		put32(b[n:], t.newNode(far))
		put32(b[n+4:], uint32(len(value)))
		t.write.nodes[leaf-temporary].far = true
	}
	t.db.cell = b
	return b
}

// far is where the value of a cell is that has it elsewhere.
func far(cell []byte) (number uint32, length int, ok bool) {
	if le16(cell[2:]) != farValue {
		return 0, 0, false
	}
	at := 4 + int(le16(cell))
	return le32(cell[at:]), int(le32(cell[at+4:])), true
}

func (t *Tx) releaseValue(cell []byte) {
	if number, length, ok := far(cell); ok {
		t.release(number, runOf(length))
	}
}

// insert puts an entry into the page at the end of the path, before the i-th one, and
// splits pages as needed.
func (t *Tx) insert(number uint32, p *page, i int, cell []byte, child uint32, last bool) error {
	for !p.insert(i, cell, child) {
		right, r := t.newPage(p[16])
		separator := p.split(r, i, cell, child, last && i == p.count())
		w := t.write
		w.nodes[right-temporary].far = w.nodes[number-temporary].far
		if n := len(w.path); n > 0 {
			up := w.path[n-1]
			w.path = w.path[:n-1]
			number, p, i = up.number, (*page)(w.nodes[up.number-temporary].bytes), up.child+1
		} else {
			root, top := t.newPage(kindBranch)
			top.insert(0, nil, number)
			t.root, number, p, i = root, root, top, 1
			if t.depth++; t.depth > maxDepth {
				return fmt.Errorf("%s: deeper than %d", t.db.path, maxDepth)
			}
		}
		cell, child = branchCell(separator), right
	}
	return nil
}

// OnCommit has f called when the transaction is committed, and before another one can begin.
func (t *Tx) OnCommit(f func(t *Tx)) {
	if t.write != nil {
		t.write.onCommit = f
	}
}
