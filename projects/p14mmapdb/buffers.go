package p14mmapdb

// buffers are pages in memory that are used again.
type buffers struct{ spare []*page }

const (
	buffersAtOnce = 16
	buffersKept   = 8192
)

func (b *buffers) take() *page {
	if len(b.spare) == 0 {
		for range buffersAtOnce {
			b.spare = append(b.spare, new(page))
		}
	}
	p := b.spare[len(b.spare)-1]
	b.spare = b.spare[:len(b.spare)-1]
	return p
}

func (b *buffers) put(p *page) {
	if len(b.spare) < buffersKept {
		b.spare = append(b.spare, p)
	}
}

// keep takes back what a transaction is done with.
func (b *buffers) keep(nodes []node) {
	for i := range nodes {
		if len(nodes[i].bytes) == pageSize {
			b.put((*page)(nodes[i].bytes))
		}
		nodes[i].bytes = nil
	}
}
