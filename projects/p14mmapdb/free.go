package p14mmapdb

import (
	"cmp"
	"math/bits"
	"slices"
)

// freeSet are the free pages of one state, as the writer of the next one has them: those
// that may be taken, and those that a reader or a power failure may still need.
type freeSet struct {
	word    uint64   // the state
	bits    []uint64 // the pages that may be taken
	blocks  []uint32 // how many of them there are in every blockWords words
	n       int      // how many there are
	from    int      // the word to look at first for one page
	swept   int      // and to sweep on from
	since   uint64   // no page of bits was freed by a later transaction
	waiting []freed  // the others, in the order of their transactions
	chain   []uint32 // pages of the log, the last one first
	base    int      // how many of them the first transaction in it wrote
}

// freed is a run of pages that a transaction gave up.
type freed struct {
	extent
	tx uint64
}

const blockWords = 64

// load reads the log of a state.
func (t *Tx) load() (*freeSet, error) {
	f := &freeSet{word: t.word()}
	seen := make([]uint64, (t.pages+63)/64)
	first := uint64(0)
	for number := t.log; number != 0; {
		p, err := t.logPage(number)
		if err != nil {
			return nil, err
		}
		if len(f.chain) == int(min(t.logLen, t.pages)) {
			return nil, t.db.damaged(number, "the log of free pages has no end")
		}
		f.chain = append(f.chain, number)
		if tx := pageTx(p); tx == first {
			f.base++
		} else {
			first, f.base = tx, 1
		}
		// The newest entry about a page counts, and it comes first.
		for i := range pageCount(p) {
			e := p[logAt+16*i:]
			tx, start, run := le64(e), le32(e[8:]), le32(e[12:])
			if start < firstPage || start >= t.pages || run == 0 || run > t.pages-start || tx > t.tx {
				return nil, t.db.damaged(number, "an entry in the log of free pages makes no sense")
			}
			for n := start; n < start+run; n++ {
				if seen[n/64]&(1<<(n%64)) != 0 {
					continue
				}
				seen[n/64] |= 1 << (n % 64)
				if tx == 0 {
					continue
				}
				f.n++ // for the comparison below
				if k := len(f.waiting); k > 0 && f.waiting[k-1].tx == tx && f.waiting[k-1].page+f.waiting[k-1].run == n {
					f.waiting[k-1].run++
				} else {
					f.waiting = append(f.waiting, freed{extent{n, 1}, tx})
				}
			}
		}
		number = le32(p[pageHeader:])
	}
	if len(f.chain) != int(t.logLen) || f.n != int(t.free) {
		return nil, t.db.damaged(t.at, "the log of free pages is not what the meta page says")
	}
	f.n = 0
	slices.SortStableFunc(f.waiting, func(a, b freed) int { return cmp.Compare(a.tx, b.tx) })
	return f, nil
}

// logPage is a page of the log, verified.
func (t *Tx) logPage(number uint32) ([]byte, error) {
	if number < firstPage || number >= t.pages {
		return nil, t.db.damaged(number, "a page that is not in use")
	}
	p := t.db.bytes(number, 1)
	if pageNumber(p) != number || pageKind(p) != kindLog || pageCount(p) > maxLogged || pageTx(p) > t.tx ||
		pageCRC(p) != checksum(p[4:]) {
		return nil, t.db.damaged(number, "a checksum in the log of free pages is wrong")
	}
	return p, nil
}

// allow lets the pages be taken that transactions up to limit have given up.
func (f *freeSet) allow(limit uint64) {
	f.since = max(f.since, limit)
	i := 0
	for ; i < len(f.waiting) && f.waiting[i].tx <= limit; i++ {
		f.set(f.waiting[i].extent)
	}
	f.waiting = f.waiting[i:]
}

func (f *freeSet) set(e extent) {
	if need := int(e.page+e.run+63) / 64; need > len(f.bits) {
		f.bits = append(f.bits, make([]uint64, need-len(f.bits))...)
		f.blocks = append(f.blocks, make([]uint32, (len(f.bits)+blockWords-1)/blockWords-len(f.blocks))...)
	}
	for n := e.page; n < e.page+e.run; n++ {
		f.bits[n/64] |= 1 << (n % 64)
		f.blocks[n/64/blockWords]++
	}
	f.n += int(e.run)
	f.from = min(f.from, int(e.page/64))
}

// take takes a run of pages, the first one there is; a single page preferably from where it
// has no neighbours. ok is false if there is none.
func (f *freeSet) take(run uint32) (page uint32, ok bool) {
	if f.n < int(run) {
		return 0, false
	}
	if page, ok = f.find(run, f.from, len(f.bits)); !ok {
		return page, ok
	}
	if run == 1 {
		f.from = int(page / 64)
		for w := f.from; w < min(f.from+sweepWords, len(f.bits)); w++ {
			if b := f.bits[w]; b&^(b<<1|b>>1) != 0 {
				page = uint32(64*w + bits.TrailingZeros64(b&^(b<<1|b>>1)))
				break
			}
		}
	}
	f.remove(page, run)
	return page, ok
}

// sweep takes a run of least to most pages from behind the last one. It looks at so many
// words, and leaves in words how many it may look at next time; single pages gather before
// it, and it is not worth a longer search to have pages side by side. No pages: none found.
func (f *freeSet) sweep(least, most uint32, words *int) extent {
	for f.n >= int(least) && *words > 0 {
		if f.swept >= len(f.bits) {
			f.swept = f.from
		}
		to := min(f.swept+*words, len(f.bits))
		page, ok := f.find(least, f.swept, to)
		if ok {
			run := least
			for run < most && f.has(page+run) {
				run++
			}
			f.remove(page, run)
			*words -= int(page/64) - f.swept
			f.swept = int((page + run) / 64)
			return extent{page, run}
		}
		*words -= max(1, to-f.swept)
		f.swept = to
	}
	return extent{}
}

const sweepWords = 64

func (f *freeSet) has(page uint32) bool {
	return int(page/64) < len(f.bits) && f.bits[page/64]&(1<<(page%64)) != 0
}

func (f *freeSet) remove(page, run uint32) {
	for n := page; n < page+run; n++ {
		f.bits[n/64] &^= 1 << (n % 64)
		f.blocks[n/64/blockWords]--
	}
	f.n -= int(run)
}

// find finds a run in the words from up to to.
func (f *freeSet) find(run uint32, from, to int) (page uint32, ok bool) {
	length := 0 // of the run at the end of the word before
	for w := from; w < to; w++ {
		if w%blockWords == 0 && f.blocks[w/blockWords] == 0 {
			w, length = w+blockWords-1, 0
			continue
		}
		b := f.bits[w]
		ones := bits.TrailingZeros64(^b)
		if length+ones >= int(run) {
			return uint32(64*w - length), true
		}
		if ones == 64 {
			length += 64
			continue
		}
		if begins := beginnings(b, run); begins != 0 {
			return uint32(64*w + bits.TrailingZeros64(begins)), true
		}
		length = bits.LeadingZeros64(^b)
	}
	return 0, false
}

// beginnings are the bits of a word with which so many side by side begin.
func beginnings(b uint64, run uint32) uint64 {
	for have := uint32(1); have < run && b != 0; {
		more := min(have, run-have)
		b &= b >> more
		have += more
	}
	return b
}

// extents calls f for every run of pages that may be taken.
func (f *freeSet) extents(each func(extent)) {
	var e extent
	for w := 0; w < len(f.bits); w++ {
		if f.blocks[w/blockWords] == 0 {
			w += blockWords - 1 - w%blockWords
			continue
		}
		for b := f.bits[w]; b != 0; b &= b - 1 {
			n := uint32(64*w + bits.TrailingZeros64(b))
			if e.run > 0 && n == e.page+e.run {
				e.run++
				continue
			}
			if e.run > 0 {
				each(e)
			}
			e = extent{n, 1}
		}
	}
	if e.run > 0 {
		each(e)
	}
}

// runs is how many runs of pages there are that may be taken.
func (f *freeSet) runs() int {
	n, before := 0, uint64(0)
	for _, b := range f.bits {
		n += bits.OnesCount64(b &^ (b<<1 | before))
		before = b >> 63
	}
	return n
}

// count is how many pages there are, in the set and waiting.
func (f *freeSet) count() uint32 {
	n := uint32(f.n)
	for _, w := range f.waiting {
		n += w.run
	}
	return n
}
