package p13shmimage

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"unpipc/gobind/mmap"
)

// header is the beginning of the segment. All numbers are in the machine's order.
type header struct {
	Magic    [8]byte // "UNPIMAGE"
	Version  uint32
	Filter   uint32
	Sigma    float64
	Width    uint32
	Height   uint32
	Channels uint32 // of the source
	Depth    uint32
	Slots    uint32 // one for each worker, and one for the run of one worker alone
	Strips   uint32 // of the compressed result
	Source   uint64 // offset of the source's first row
	Result   uint64
	Portable uint32 // 1: without the vector unit
}

const version = 1

var magic = [8]byte([]byte("UNPIMAGE"))

// slot is what one worker is told and tells.
type slot struct {
	First, Last uint32        // rows or strips: the last is not included
	Pixels      atomic.Uint64 // done
	Nanoseconds atomic.Int64  // it took, set before Done
	Done        atomic.Uint32 // 1 when all is
	_           [32]byte      // one slot a cache line
}

// strip is some rows of the result, compressed.
type strip struct {
	Length uint32 // bytes
	Adler  uint32 // checksum of what was compressed
}

const (
	slotsAt  = 128
	slotSize = 64
	// MaxWorkers bounds the number of processes.
	MaxWorkers = 256
	// stripBytes is about the size of a strip before compression: large enough for the
	// compressor to find repetitions, small enough that all workers have some.
	stripBytes = 1 << 20
)

// layout says where everything is for a picture and a number of slots.
type layout struct {
	strips, stripRows, stripRoom int
	stripsAt, sourceAt, resultAt int
	bytes                        int
}

func newLayout(p Picture, f Filter, slots int) layout {
	out := f.Result(p)
	var l layout
	l.stripRows = max(1, stripBytes/(out.RowBytes()+1))
	l.strips = (p.Height + l.stripRows - 1) / l.stripRows
	raw := l.stripRows * (out.RowBytes() + 1)
	l.stripRoom = raw + raw/8192 + 256 // what does not compress is stored in blocks of 64 KB
	l.stripsAt = slotsAt + slots*slotSize
	page := os.Getpagesize()
	align := func(n int) int { return (n + page - 1) / page * page }
	l.sourceAt = align(l.stripsAt + l.strips*8)
	l.resultAt = l.sourceAt + align(max(p.Bytes(), l.strips*l.stripRoom))
	l.bytes = l.resultAt + align(out.Bytes())
	return l
}

// shared is an attached segment.
type shared struct {
	layout
	task
	memory []byte
	header *header
	slots  []slot
	table  []strip
}

// view makes memory with a header usable. What does not fit is refused: a worker may be
// told the identifier of any segment.
func view(memory []byte) (*shared, error) {
	h, err := mmap.View[header](memory, 0)
	if err != nil {
		return nil, err
	}
	if h.Magic != magic {
		return nil, errors.New("the segment holds no picture")
	}
	if h.Version != version {
		return nil, fmt.Errorf("the segment has version %d of the layout, not %d", h.Version, version)
	}
	s := &shared{memory: memory, header: h}
	s.in = Picture{int(h.Width), int(h.Height), int(h.Channels), int(h.Depth)}
	s.filter, s.sigma = Filter(h.Filter), h.Sigma
	if err := s.in.check(); err != nil {
		return nil, err
	}
	if h.Slots > MaxWorkers+1 || int(h.Filter) >= len(filterNames) || !(s.sigma > 0 && s.sigma <= MaxSigma) {
		return nil, errors.New("the segment's header has values out of range")
	}
	s.layout = newLayout(s.in, s.filter, int(h.Slots))
	if int(h.Strips) != s.strips || h.Source != uint64(s.sourceAt) || h.Result != uint64(s.resultAt) || s.bytes > len(memory) {
		return nil, errors.New("the segment's header does not fit its size")
	}
	if s.slots, err = mmap.Slice[slot](memory, slotsAt, int(h.Slots)); err != nil {
		return nil, err
	}
	if s.table, err = mmap.Slice[strip](memory, s.stripsAt, s.strips); err != nil {
		return nil, err
	}
	s.source, s.result = memory[s.sourceAt:][:s.in.Bytes()], memory[s.resultAt:][:s.filter.Result(s.in).Bytes()]
	return s, nil
}

// writeHeader is the other way round, for a picture that is in memory.
func writeHeader(memory []byte, p Picture, l layout, o *Options) {
	h, err := mmap.View[header](memory, 0)
	if err != nil {
		panic(err) // a layout's segment has room for a header
	}
	*h = header{
		Magic: magic, Version: version, Filter: uint32(o.Filter), Sigma: o.Sigma,
		Width: uint32(p.Width), Height: uint32(p.Height), Channels: uint32(p.Channels), Depth: uint32(p.Depth),
		Slots: uint32(o.Workers + 1), Strips: uint32(l.strips), Source: uint64(l.sourceAt), Result: uint64(l.resultAt),
	}
	if o.Portable {
		h.Portable = 1
	}
}
