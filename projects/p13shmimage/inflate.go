package p13shmimage

import (
	"encoding/binary"
	"errors"
	"hash/adler32"
	"math/bits"
)

// errInflate says that data is no zlib stream of the length expected.
var errInflate = errors.New("damaged data")

// inflate decompresses a zlib stream (RFC 1950, 1951) that fills out exactly. It is for
// pictures, whose size is known beforehand: without a window, and with 64 bits of input at
// hand it takes a third of the time of compress/flate.
func inflate(in, out []byte) error {
	if len(in) < 6 || in[0]&15 != 8 || binary.BigEndian.Uint16(in)%31 != 0 || in[1]&0x20 != 0 {
		return errInflate
	}
	// Reads of 8 bytes go over the end; that something there was used is found out.
	f := inflater{end: len(in) - 2, out: out}
	if cap(in)-len(in) >= 16 {
		f.in = in[2 : len(in)+16]
	} else {
		f.in = append(in[2:len(in):len(in)], make([]byte, 16)...)
	}
	for last := false; !last; {
		f.refill()
		last = f.take(1) == 1
		var err error
		switch f.take(2) {
		case 0:
			err = f.stored()
		case 1:
			f.fixed()
			err = f.block()
		case 2:
			if err = f.dynamic(); err == nil {
				err = f.block()
			}
		default:
			err = errInflate
		}
		if err != nil {
			return err
		}
	}
	f.give()
	if f.at+4 > f.end || f.done != len(out) || binary.BigEndian.Uint32(f.in[f.at:]) != adler32.Checksum(out) {
		return errInflate
	}
	return nil
}

type inflater struct {
	in   []byte // with some more behind the end
	end  int
	at   int    // of the next byte to be read
	bits uint64 // read and not yet used, the next one lowest
	have uint   // of them
	out  []byte
	done int

	literals, distances code
}

// refill makes at least 56 bits ready.
func (f *inflater) refill() {
	if f.at > len(f.in)-8 {
		f.at = len(f.in) - 8 // whoever comes here is over the end already
	}
	f.bits |= binary.LittleEndian.Uint64(f.in[f.at:]) << f.have
	f.at += int(63-f.have) / 8
	f.have |= 56
}

// take uses n bits of those that are ready.
func (f *inflater) take(n uint) uint32 {
	v := uint32(f.bits & (1<<n - 1))
	f.bits >>= n
	f.have -= n
	return v
}

// give puts back whole bytes that were not used.
func (f *inflater) give() {
	f.at -= int(f.have / 8)
	f.bits, f.have = 0, 0
}

// over says that more was used than there is.
func (f *inflater) over() bool { return f.at-int(f.have/8) > f.end }

// quick is the number of bits of which a table tells the symbol; longer words are rare.
const quick = 10

// code is a Huffman code. Words are assigned in order of their length, then of symbols.
type code struct {
	table   [1 << quick]uint16 // symbol<<4 | length of its word, 0 for longer ones
	counts  [16]uint16         // words of each length
	symbols [288]uint16        // in order of their words
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
				c.table[i] = uint16(symbol)<<4 | uint16(n)
			}
		}
	}
	return nil
}

// symbol reads one of those that are ready; -1 if it is none.
func (f *inflater) symbol(c *code) int {
	if e := c.table[f.bits&(1<<quick-1)]; e != 0 {
		f.bits >>= e & 15
		f.have -= uint(e & 15)
		return int(e >> 4)
	}
	word, first, index := 0, 0, 0
	for n := 1; n < 16; n++ {
		word |= int(f.bits >> (n - 1) & 1)
		count := int(c.counts[n])
		if word-first < count {
			f.take(uint(n))
			return int(c.symbols[index+word-first])
		}
		index += count
		first = (first + count) << 1
		word <<= 1
	}
	return -1
}

func (f *inflater) stored() error {
	f.take(f.have % 8)
	f.give()
	if f.at+4 > f.end {
		return errInflate
	}
	n := int(binary.LittleEndian.Uint16(f.in[f.at:]))
	if n != int(^binary.LittleEndian.Uint16(f.in[f.at+2:])) {
		return errInflate
	}
	f.at += 4
	if f.at+n > f.end || n > len(f.out)-f.done {
		return errInflate
	}
	f.done += copy(f.out[f.done:], f.in[f.at:f.at+n])
	f.at += n
	return nil
}

func (f *inflater) fixed() {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144 || i >= 280:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		default:
			lengths[i] = 7
		}
	}
	_ = f.literals.build(lengths[:])
	for i := range 30 {
		lengths[i] = 5
	}
	_ = f.distances.build(lengths[:30])
}

// dynamic reads the lengths of both codes' words, which are in a code themselves.
func (f *inflater) dynamic() error {
	order := [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	var lengths [288 + 32]uint8
	nlit, ndist, ncode := int(f.take(5))+257, int(f.take(5))+1, int(f.take(4))+4
	for i := range ncode {
		f.refill()
		lengths[order[i]] = uint8(f.take(3))
	}
	if err := f.literals.build(lengths[:19]); err != nil {
		return err
	}
	clear(lengths[:19])
	for n := 0; n < nlit+ndist; {
		f.refill()
		s := f.symbol(&f.literals)
		if s < 0 || f.over() {
			return errInflate
		}
		if s < 16 {
			lengths[n] = uint8(s)
			n++
			continue
		}
		value, times := uint8(0), 0
		switch s {
		case 16:
			if n == 0 {
				return errInflate
			}
			value, times = lengths[n-1], 3+int(f.take(2))
		case 17:
			times = 3 + int(f.take(3))
		default:
			times = 11 + int(f.take(7))
		}
		if n+times > nlit+ndist {
			return errInflate
		}
		for range times {
			lengths[n] = value
			n++
		}
	}
	if nlit > 286 {
		return errInflate
	}
	if err := f.literals.build(lengths[:nlit]); err != nil {
		return err
	}
	return f.distances.build(lengths[nlit : nlit+ndist])
}

// extended is a length or distance: they grow by steps that double every few symbols.
func (f *inflater) extended(symbol, first, perStep int) int {
	if symbol < 2*perStep {
		return first + symbol
	}
	extra := uint(symbol/perStep - 1)
	return first + (perStep+symbol%perStep)<<extra + int(f.take(extra))
}

// literalsOf decodes bytes while they have words in the table and there is room for more
// input and output, with what it needs in registers.
func (f *inflater) literalsOf() {
	in, out, table := f.in, f.out, &f.literals.table
	bits, have, at, done := f.bits, f.have, f.at, f.done
	for at <= len(in)-8 && done <= len(out)-4 {
		bits |= binary.LittleEndian.Uint64(in[at:]) << have
		at += int(63-have) / 8
		have |= 56
		to := out[done : done+4 : done+4]
		n := 0
		for ; n < 4; n++ {
			e := table[bits&(1<<quick-1)]
			if e == 0 || e >= 256<<4 {
				break
			}
			to[n] = byte(e >> 4)
			bits >>= e & 15
			have -= uint(e & 15)
		}
		done += n
		if n < 4 {
			break
		}
	}
	f.bits, f.have, f.at, f.done = bits, have, at, done
}

// block decodes until the block's end. A length and its distance use 48 bits at most.
func (f *inflater) block() error {
	for {
		f.literalsOf()
		f.refill()
		s := f.symbol(&f.literals)
		switch {
		case s < 0 || s > 285 || f.over():
			return errInflate
		case s == 256:
			return nil
		case s < 256:
			if f.done == len(f.out) {
				return errInflate
			}
			f.out[f.done] = byte(s)
			f.done++
			continue
		}
		length := 258
		if s < 285 {
			length = f.extended(s-257, 3, 4)
		}
		s = f.symbol(&f.distances)
		if s < 0 || s > 29 {
			return errInflate
		}
		distance := f.extended(s, 1, 2)
		if distance > f.done || length > len(f.out)-f.done {
			return errInflate
		}
		from, to := f.out[f.done-distance:], f.out[f.done:f.done+length]
		f.done += length
		if distance >= length {
			copy(to, from)
			continue
		}
		for i := range to {
			to[i] = from[i]
		}
	}
}
