package p13shmimage

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// readPNG decodes a PNG file of the usual forms into dst: 8 or 16 bits, not interlaced,
// without a palette or a transparent colour. ok is false of others and of damaged ones,
// which are for image/png to judge. It changes text.
func readPNG(text, dst []byte) (p Picture, ok bool) {
	if !bytes.HasPrefix(text, []byte("\x89PNG\r\n\x1a\n")) {
		return p, false
	}
	deflated := text[:0] // the data of all chunks, moved together
	for at := 8; ; {
		if len(text)-at < 12 || int64(binary.BigEndian.Uint32(text[at:])) > int64(len(text)-at-12) {
			return p, false
		}
		n := int(binary.BigEndian.Uint32(text[at:]))
		name, chunk := string(text[at+4:at+8]), text[at+8:at+8+n]
		if crc32.ChecksumIEEE(text[at+4:at+8+n]) != binary.BigEndian.Uint32(text[at+8+n:]) {
			return p, false
		}
		at += 12 + n
		switch name {
		case "IHDR":
			if p, ok = usual(chunk); !ok {
				return p, false
			}
		case "IDAT":
			deflated = append(deflated, chunk...)
		case "IEND":
			return unfilterAll(p, deflated, dst)
		case "PLTE", "tRNS":
			return p, false
		}
	}
}

// usual reads a header.
func usual(h []byte) (p Picture, ok bool) {
	channels := map[byte]int{0: 1, 2: 3, 6: 4}
	if len(h) != 13 || h[8] != 8 && h[8] != 16 || channels[h[9]] == 0 || h[10] != 0 || h[11] != 0 || h[12] != 0 {
		return p, false
	}
	p = Picture{int(binary.BigEndian.Uint32(h)), int(binary.BigEndian.Uint32(h[4:])), channels[h[9]], int(h[8])}
	return p, p.check() == nil
}

func unfilterAll(p Picture, deflated, dst []byte) (_ Picture, ok bool) {
	if p.Width == 0 || p.Bytes() > len(dst) {
		return p, false
	}
	u := unfilterer{rows: rows{p, dst}, x: -1, above: make([]byte, p.RowBytes())}
	if inflate(deflated, u.take) != nil || u.y != p.Height {
		return p, false
	}
	u.native(p.Height - 1)
	return dropOpaque(p, dst), true
}

// unfilterer makes rows of the lines of a file as they come, while they are in a cache.
type unfilterer struct {
	rows
	y, x  int // of the next byte; x is -1 before the byte that tells the kind of a line
	kind  byte
	above []byte
}

func (u *unfilterer) take(text []byte) error {
	for len(text) > 0 {
		if u.y == u.Height {
			return errInflate
		}
		if u.x < 0 {
			u.kind, text, u.x = text[0], text[1:], 0
			continue
		}
		row := u.row8(u.y)
		n := copy(row[u.x:], text)
		text = text[n:]
		if u.x += n; u.x < len(row) {
			continue
		}
		if !unfilter(u.kind, row, u.above, u.Channels*u.Depth/8) {
			return errInflate
		}
		if u.y > 0 {
			u.native(u.y - 1) // nobody looks at its bytes any more
		}
		u.above, u.x = row, -1
		u.y++
	}
	return nil
}

// native puts a row's bytes in the machine's order.
func (u *unfilterer) native(y int) {
	if u.Depth == 16 {
		row := u.row8(y)
		for i := 0; i < len(row); i += 2 {
			binary.NativeEndian.PutUint16(row[i:], binary.BigEndian.Uint16(row[i:]))
		}
	}
}

// unfilter undoes the difference of a line to its neighbours.
func unfilter(kind byte, line, above []byte, step int) bool {
	above = above[:len(line)]
	switch kind {
	case 0:
	case 1:
		for i := step; i < len(line); i++ {
			line[i] += line[i-step]
		}
	case 2:
		for i, v := range above {
			line[i] += v
		}
	case 3:
		for i := range line {
			left := 0
			if i >= step {
				left = int(line[i-step])
			}
			line[i] += byte((left + int(above[i])) / 2)
		}
	case 4:
		for i := range min(step, len(line)) {
			line[i] += above[i]
		}
		for i := step; i < len(line); i++ {
			a, b, c := int(line[i-step]), int(above[i]), int(above[i-step])
			da, db := b-c, a-c
			dc := distance(da + db)
			da, db = distance(da), distance(db)
			switch {
			case da <= db && da <= dc:
				line[i] += byte(a)
			case db <= dc:
				line[i] += byte(b)
			default:
				line[i] += byte(c)
			}
		}
	default:
		return false
	}
	return true
}

// distance is the absolute value.
func distance(d int) int {
	m := d >> 63
	return (d ^ m) - m
}

// dropOpaque makes a picture one without alpha if that hides nothing.
func dropOpaque(p Picture, pix []byte) Picture {
	if p.Channels != 4 {
		return p
	}
	size := p.Depth / 8
	for at := 3 * size; at < p.Bytes(); at += 4 * size {
		for _, v := range pix[at : at+size] {
			if v != 255 {
				return p
			}
		}
	}
	for i := range p.Width * p.Height {
		copy(pix[3*size*i:][:3*size], pix[4*size*i:])
	}
	p.Channels = 3
	return p
}
