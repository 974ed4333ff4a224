package p14mmapdb

import "bytes"

// mergeBelow is how full in bytes a page may be before it is joined to a neighbour, and
// mergeUpTo how full the two may be together.
const (
	mergeBelow = (pageSize - pageHeader) / 3
	mergeUpTo  = (pageSize - pageHeader) * 3 / 4
)

// Delete takes a key out. Errors: [ErrNoKey], [ErrReadOnly], [ErrDamaged].
func (t *Tx) Delete(key []byte) error {
	if t.write == nil {
		return ErrReadOnly
	}
	if _, err := t.Get(key); err != nil {
		return err // and nothing was copied
	}
	number, p, _, err := t.descend(key)
	if err != nil {
		return err
	}
	i, found, bad := p.position(key)
	if bad || !found {
		return t.cellError(p)
	}
	t.releaseValue(p.cell(i))
	p.remove(i)
	t.records--
	return t.shrink(number, p)
}

// shrink takes out the pages that have become empty or little used, from the end of the path up.
func (t *Tx) shrink(number uint32, p *page) error {
	w := t.write
	level := uint32(1)
	for ; len(w.path) > 0; level++ {
		up := w.path[len(w.path)-1]
		w.path = w.path[:len(w.path)-1]
		parent := (*page)(w.nodes[up.number-temporary].bytes)
		switch {
		case p.count() == 0:
			parent.remove(up.child)
			t.release(number, 1)
		case p.used() < mergeBelow && parent.count() > 1:
			left := max(up.child-1, 0)
			if err := t.merge(parent, left, level); err != nil {
				return err
			}
		default:
			return nil
		}
		number, p = up.number, parent
	}
	return t.lower(p)
}

// lower makes the tree less deep when the root has one child or none.
func (t *Tx) lower(p *page) error {
	for p.count() == 0 || t.depth > 1 && p.count() == 1 {
		root := t.root
		t.root, t.depth = 0, t.depth-1
		if p.count() == 1 {
			t.root = p.child(0)
		} else {
			t.depth = 0
		}
		t.release(root, 1)
		if t.root == 0 {
			return nil
		}
		var err error
		if p, err = t.page(t.root, t.depth); err != nil {
			return err
		}
	}
	return nil
}

// merge joins child i of a branch and the next one, which are at a level, if they fit.
func (t *Tx) merge(parent *page, i int, level uint32) error {
	a, err := t.page(parent.child(i), level)
	if err != nil {
		return err
	}
	b, err := t.page(parent.child(i+1), level)
	if err != nil {
		return err
	}
	separator := bytes.Clone(parent.key(i + 1))
	if !a.whole() || !b.whole() || a.used()+b.used()+2+len(separator) > mergeUpTo {
		return nil
	}
	left, a, err := t.own(parent.child(i), level)
	if err != nil {
		return err
	}
	parent.setChild(i, left)
	right, b, err := t.own(parent.child(i+1), level)
	if err != nil {
		return err
	}
	w := t.write
	w.nodes[left-temporary].far = w.nodes[left-temporary].far || w.nodes[right-temporary].far
	for i := range b.count() {
		switch {
		case level == 1:
			a.insert(a.count(), b.cell(i), 0)
		case i == 0:
			a.insert(a.count(), branchCell(separator), b.child(0))
		default:
			a.insert(a.count(), b.cell(i), b.child(i))
		}
	}
	parent.remove(i + 1)
	t.release(right, 1)
	return nil
}
