package integers

import (
	"io"
	"os"
)

// blockBytes are read at once: few calls, and still in the processor's cache when they
// are looked at.
const blockBytes = 256 << 10

// spareNumbers are for a file that is a little denser behind its beginning.
const spareNumbers = 4096

// Load reads the numbers of a file, in its order. It reads whatever can be opened, a FIFO
// or a terminal as well. Errors: [*Error], *fs.PathError.
func Load(name string) ([]int32, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	block := make([]byte, blockBytes)
	var s scanner
	for blocks := 0; ; blocks++ {
		n, err := f.Read(block)
		bad := s.feed(block[:n])
		if err == io.EOF && bad == nil {
			bad = s.end()
		}
		switch {
		case bad != nil:
			bad.File = name
			return nil, bad
		case err == io.EOF:
			return s.numbers, nil
		case err != nil:
			return nil, err
		}
		if st, err := f.Stat(); blocks == 0 && err == nil && n > 0 {
			// The rest will be as dense as the beginning; a little more spares a copy.
			rest := float64(st.Size()-int64(n)) / float64(n) * float64(len(s.numbers))
			s.reserve(max(0, int(rest*1.02)) + spareNumbers)
		}
	}
}
