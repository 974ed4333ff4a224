package p13shmimage

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// writePNG writes a file of strips that were compressed. Its bytes do not depend on who
// compressed them.
func (s *shared) writePNG(w io.Writer) error {
	out := s.filter.Result(s.in)
	c := chunks{w: w}
	c.raw([]byte("\x89PNG\r\n\x1a\n"))
	head := binary.BigEndian.AppendUint32(nil, uint32(out.Width))
	head = binary.BigEndian.AppendUint32(head, uint32(out.Height))
	head = append(head, byte(out.Depth), []byte{0, 0, 4, 2, 6}[out.Channels], 0, 0, 0)
	c.write("IHDR", head)
	c.write("IDAT", []byte{0x78, 0x01}) // the head of a zlib stream
	sum := uint32(1)
	for i, strip := range s.table {
		if int(strip.Length) > s.stripRoom {
			return io.ErrShortBuffer
		}
		c.write("IDAT", s.room(i)[:strip.Length])
		height := min((i+1)*s.stripRows, out.Height) - i*s.stripRows
		sum = appendAdler(sum, strip.Adler, height*(out.RowBytes()+1))
	}
	c.write("IDAT", binary.BigEndian.AppendUint32(nil, sum))
	c.write("IEND", nil)
	return c.err
}

// chunks writes the parts of a PNG file until something fails.
type chunks struct {
	w   io.Writer
	err error
}

func (c *chunks) raw(p []byte) {
	if c.err == nil {
		_, c.err = c.w.Write(p)
	}
}

func (c *chunks) write(name string, p []byte) {
	c.raw(append(binary.BigEndian.AppendUint32(nil, uint32(len(p))), name...))
	c.raw(p)
	sum := crc32.Update(crc32.ChecksumIEEE([]byte(name)), crc32.IEEETable, p)
	c.raw(binary.BigEndian.AppendUint32(nil, sum))
}

// appendAdler is the Adler-32 checksum of two texts, of theirs and the length of the
// second: both halves are sums modulo 65521, of bytes and of the first half after each.
func appendAdler(first, second uint32, length int) uint32 {
	const mod = 65521
	n := uint32(length % mod)
	a1, b1, a2, b2 := first&0xffff, first>>16, second&0xffff, second>>16
	a := (a1 + a2 + mod - 1) % mod
	b := (b1 + b2 + uint32(uint64(n)*uint64((a1+mod-1)%mod)%mod)) % mod
	return b<<16 | a
}
