package p14mmapdb

// known are the pages that the writer has verified, or has written itself. While nobody else
// writes they need not be verified again before they are copied.
type known []uint64

func (k known) has(page uint32) bool {
	return int(page/64) < len(k) && k[page/64]&(1<<(page%64)) != 0
}

func (k *known) add(page uint32) {
	if need := int(page/64) + 1 - len(*k); need > 0 {
		*k = append(*k, make([]uint64, need)...)
	}
	(*k)[page/64] |= 1 << (page % 64)
}
