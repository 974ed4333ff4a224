package p02fifo

import "bytes"

// framing cuts what is read from the FIFO into lines. Some writes do not end in a
// newline, though every one of ours does; what can be of the others' is saved.
type framing struct {
	line    func([]byte) // takes a line without its newline, shorter than MaxRequestBytes
	refuse  func([]byte) // takes what has no newline and is thrown away
	tooLong func()       // is told of a line that is thrown away

	rest  []byte // the unterminated end of what was read
	long  bool   // it is longer than any request, and not kept
	whole bool   // the FIFO was empty behind it, so what follows is another write
}

// feed takes what one read returned; drained says that it left nothing in the FIFO.
func (f *framing) feed(chunk []byte, drained bool) {
	for {
		line, behind, found := bytes.Cut(chunk, []byte("\n"))
		if !found {
			break
		}
		chunk = behind
		switch {
		case len(f.rest) > 0 || f.long:
			f.finish(line)
		case len(line) >= MaxRequestBytes:
			f.tooLong()
		default:
			f.line(line)
		}
	}
	if len(f.rest)+len(chunk) >= MaxRequestBytes {
		f.long, f.rest = true, f.rest[:0]
	} else if !f.long {
		f.rest = append(f.rest, chunk...)
	}
	f.whole = drained
}

// finish takes the first line behind the rest. A write of up to PIPE_BUF bytes is
// atomic, so the rest is whole writes of others; this line belongs to them unless
// it came later and is a request by itself.
func (f *framing) finish(line []byte) {
	rest, long := f.rest, f.long
	f.rest, f.long = f.rest[:0], false
	_, err := parse(line)
	alone := f.whole && err == nil && len(line) < MaxRequestBytes
	switch {
	case long || !alone && len(rest)+len(line) >= MaxRequestBytes:
		f.tooLong()
	case alone:
		f.refuse(rest)
	default:
		f.line(append(rest, line...))
	}
	if alone {
		f.line(line)
	}
}
