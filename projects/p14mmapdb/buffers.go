package p14mmapdb

// buffers are pages in memory that are used again. Pages that are taken one after the other
// are side by side, so that they can be written at once.
type buffers struct {
	slabs [][]byte
	next  int      // how many pages were taken from the slabs
	spare [][]byte // pages that are not needed any more in this transaction
}

const (
	slabPages = 16
	slabsKept = 512
)

// take is a page, with the room behind it that belongs to the same slab.
func (b *buffers) take() []byte {
	if n := len(b.spare); n > 0 {
		p := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return p
	}
	slab, i := b.next/slabPages, b.next%slabPages
	if slab == len(b.slabs) {
		b.slabs = append(b.slabs, make([]byte, slabPages*pageSize))
	}
	b.next++
	return b.slabs[slab][i*pageSize:][:pageSize]
}

func (b *buffers) put(p []byte) { b.spare = append(b.spare, p) }

// reset takes all pages back at the end of a transaction.
func (b *buffers) reset() {
	if len(b.slabs) > slabsKept {
		b.slabs = append([][]byte(nil), b.slabs[:slabsKept]...)
	}
	b.next = 0
	clear(b.spare)
	b.spare = b.spare[:0]
}
