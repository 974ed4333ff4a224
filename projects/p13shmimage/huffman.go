package p13shmimage

import "math/bits"

// quick is the number of bits of which a table tells what they stand for; longer words
// are rare.
const quick = 11

// entry is what some bits stand for: in its low 16 bits a symbol or two literals, above
// them the number of bits that have been used, from bit 24 on how many literals there are.
// 0: a word longer than the table's.
type entry uint32

func (e entry) bits() uint    { return uint(e >> 16 & 31) }
func (e entry) literals() int { return int(e >> 24) }
func (e entry) symbol() int   { return int(e & 0xffff) }

// code is a Huffman code. Words are assigned in order of their length, then of symbols.
type code struct {
	table   [1 << quick]entry
	counts  [16]uint16  // words of each length
	symbols [288]uint16 // in order of their words
}

func (c *code) build(lengths []uint8) error {
	c.counts = [16]uint16{}
	for _, n := range lengths {
		c.counts[n]++
	}
	c.counts[0] = 0
	var word, index [17]uint32
	left := 1
	for n := 1; n < 16; n++ {
		if left = left*2 - int(c.counts[n]); left < 0 {
			return errInflate
		}
		word[n+1] = (word[n] + uint32(c.counts[n])) << 1
		index[n+1] = index[n] + uint32(c.counts[n])
	}
	clear(c.table[:])
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		c.symbols[index[n]] = uint16(symbol)
		index[n]++
		first := bits.Reverse32(word[n]) >> (32 - n)
		word[n]++
		if n <= quick {
			for i := first; i < 1<<quick; i += 1 << n {
				c.table[i] = entry(symbol) | entry(n)<<16
			}
		}
	}
	return nil
}

// pair marks literals as such, two of them where the table's bits are enough for both.
func (c *code) pair() {
	// From the end, so that what a second word stands for is still as it was.
	for i := len(c.table) - 1; i >= 0; i-- {
		a := c.table[i]
		if a == 0 || a.symbol() > 255 {
			continue
		}
		b := c.table[i>>a.bits()]
		c.table[i] = a | 1<<24
		if b != 0 && b.symbol() < 256 && a.bits()+b.bits() <= quick {
			c.table[i] = a + b&^0xffff | entry(b.symbol())<<8 | 2<<24
		}
	}
}

// long is the entry of a word that is longer than the table's; 0 if there is none.
func (c *code) long(text uint64) entry {
	word, first, index := 0, 0, 0
	for n := 1; n < 16; n++ {
		word |= int(text >> (n - 1) & 1)
		count := int(c.counts[n])
		if word-first < count {
			return entry(c.symbols[index+word-first]) | entry(n)<<16
		}
		index += count
		first = (first + count) << 1
		word <<= 1
	}
	return 0
}
