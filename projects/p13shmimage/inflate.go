package p13shmimage

import (
	"encoding/binary"
	"errors"
	"hash"
	"hash/adler32"
)

// errInflate says that data is no zlib stream, or one of another length.
var errInflate = errors.New("damaged data")

const (
	history  = 32 << 10  // how far back a repetition may lie
	window   = 256 << 10 // of what was decoded, small enough to stay in a cache
	longest  = 258       // bytes in a repetition
	overhang = 16        // bytes that may be written behind what is decoded, or be read behind the input
)

// inflate decompresses a zlib stream (RFC 1950, 1951) and hands it on to a function, some
// at a time. All input lies in memory, so that 64 bits of it are at hand at a time.
func inflate(in []byte, to func([]byte) error) error {
	if len(in) < 6 || in[0]&15 != 8 || binary.BigEndian.Uint16(in)%31 != 0 || in[1]&0x20 != 0 {
		return errInflate
	}
	f := inflater{end: len(in) - 2, window: make([]byte, window), to: to, sum: adler32.New()}
	if cap(in)-len(in) >= overhang {
		f.in = in[2 : len(in)+overhang]
	} else {
		f.in = append(in[2:len(in):len(in)], make([]byte, overhang)...)
	}
	for last := false; !last; {
		f.refill()
		if f.over() {
			return errInflate
		}
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
	if err := f.handOn(); err != nil {
		return err
	}
	f.putBack()
	if f.at+4 > f.end || binary.BigEndian.Uint32(f.in[f.at:]) != f.sum.Sum32() {
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

	window []byte
	done   int // bytes of it that are decoded
	given  int // and handed on
	to     func([]byte) error
	sum    hash.Hash32

	literals, distances code
}

// refill makes at least 56 bits ready.
func (f *inflater) refill() {
	f.at = min(f.at, len(f.in)-8) // whoever comes here is over the end already
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

// putBack gives back whole bytes that were not used.
func (f *inflater) putBack() {
	f.at -= int(f.have / 8)
	f.bits, f.have = 0, 0
}

// over says that more was used than there is.
func (f *inflater) over() bool { return f.at-int(f.have/8) > f.end }

// handOn gives away what was not given yet and keeps what repetitions may refer to.
func (f *inflater) handOn() error {
	text := f.window[f.given:f.done]
	_, _ = f.sum.Write(text) // hash.Hash: never an error
	if err := f.to(text); err != nil {
		return err
	}
	if f.done > history {
		f.done = copy(f.window, f.window[f.done-history:f.done])
	}
	f.given = f.done
	return nil
}

// symbol reads one of those that are ready; -1 if it is none.
func (f *inflater) symbol(c *code) int {
	e := c.table[f.bits&(1<<quick-1)]
	if e == 0 {
		if e = c.long(f.bits); e == 0 {
			return -1
		}
	}
	f.take(e.bits())
	return e.symbol()
}

func (f *inflater) stored() error {
	f.take(f.have % 8)
	f.putBack()
	if f.at+4 > f.end {
		return errInflate
	}
	n := int(binary.LittleEndian.Uint16(f.in[f.at:]))
	if n != int(^binary.LittleEndian.Uint16(f.in[f.at+2:])) || f.at+4+n > f.end {
		return errInflate
	}
	if n > len(f.window)-f.done {
		if err := f.handOn(); err != nil {
			return err
		}
	}
	f.at += 4
	f.done += copy(f.window[f.done:], f.in[f.at:f.at+n])
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
	f.literals.pair()
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
	f.literals.pair()
	return f.distances.build(lengths[nlit : nlit+ndist])
}

// extended is a length or distance by its symbol: they grow by steps that double every few
// symbols, and extra bits tell how far into the step.
func extended(symbol, first, perStep int) (base int, extra uint) {
	if symbol < 2*perStep {
		return first + symbol, 0
	}
	extra = uint(symbol/perStep - 1)
	return first + (perStep+symbol%perStep)<<extra, extra
}

// block decodes until the block's end, with what it needs in registers. A length and its
// distance use 48 bits at most.
func (f *inflater) block() error {
	const mask = 1<<quick - 1
	in, out, literals, distances := f.in, f.window, &f.literals, &f.distances
	bits, have, at, done := f.bits, f.have, f.at, f.done
	for {
		if done > len(out)-longest-overhang {
			f.done = done
			if err := f.handOn(); err != nil {
				return err
			}
			done = f.done
		}
		if at > len(in)-8 {
			return errInflate
		}
		bits |= binary.LittleEndian.Uint64(in[at:]) << have
		at += int(63-have) / 8
		have |= 56
		e := literals.table[bits&mask]
		for n := 0; n < 4 && e.literals() > 0; n++ {
			binary.LittleEndian.PutUint16(out[done:], uint16(e))
			done += e.literals()
			bits >>= e.bits()
			have -= e.bits()
			e = literals.table[bits&mask]
		}
		if e.literals() > 0 {
			continue
		}
		if at > len(in)-8 {
			return errInflate
		}
		bits |= binary.LittleEndian.Uint64(in[at:]) << have
		at += int(63-have) / 8
		have |= 56
		if e == 0 {
			e = literals.long(bits)
		}
		bits >>= e.bits()
		have -= e.bits()
		s := e.symbol()
		switch {
		case e == 0 || s > 285:
			return errInflate
		case s < 256:
			out[done] = byte(s)
			done++
			continue
		case s == 256:
			f.bits, f.have, f.at, f.done = bits, have, at, done
			return nil
		}
		length := longest
		if s < 285 {
			base, extra := extended(s-257, 3, 4)
			length = base + int(bits&(1<<extra-1))
			bits >>= extra
			have -= extra
		}
		e = distances.table[bits&mask]
		if e == 0 {
			e = distances.long(bits)
		}
		bits >>= e.bits()
		have -= e.bits()
		if e == 0 || e.symbol() > 29 {
			return errInflate
		}
		distance, extra := extended(e.symbol(), 1, 2)
		distance += int(bits & (1<<extra - 1))
		bits >>= extra
		have -= extra
		if distance > done {
			return errInflate
		}
		repeat(out[done-distance:], distance, length)
		done += length
	}
}

// repeat copies length bytes to where the first ones are repeated: distance further on. It
// may write up to 7 bytes more.
func repeat(text []byte, distance, length int) {
	from, to := text, text[distance:]
	if distance < 8 {
		for i := range to[:length] {
			to[i] = from[i]
		}
		return
	}
	for i := 0; i < length; i += 8 {
		binary.LittleEndian.PutUint64(to[i:], binary.LittleEndian.Uint64(from[i:]))
	}
}
