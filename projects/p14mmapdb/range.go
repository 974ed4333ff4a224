package p14mmapdb

import "bytes"

// Range goes through the records whose keys are in a range.
type Range struct {
	*Cursor
	low, high []byte // nil: no bound; high is out
	reverse   bool
	begun     bool
}

// NewRange is a range from key from on, up to key to, which is out, of keys that begin with
// prefix. What is nil, or of no bytes in the case of prefix, is no bound.
func NewRange(t *Tx, from, to, prefix []byte, reverse bool) *Range {
	r := &Range{Cursor: t.Cursor(), low: from, high: to, reverse: reverse}
	if len(prefix) > 0 {
		if r.low == nil || bytes.Compare(r.low, prefix) < 0 {
			r.low = prefix
		}
		if end := after(prefix); end != nil && (r.high == nil || bytes.Compare(end, r.high) < 0) {
			r.high = end
		}
	}
	return r
}

// after is the least key that is greater than all that begin with prefix; nil if there is none.
func after(prefix []byte) []byte {
	for n := len(prefix); n > 0; n-- {
		if prefix[n-1] != 0xff {
			end := bytes.Clone(prefix[:n])
			end[n-1]++
			return end
		}
	}
	return nil
}

// Next goes to the first record, and then to the next one. false: there is none, or Err.
func (r *Range) Next() bool {
	var there bool
	switch {
	case r.begun && r.reverse:
		there = r.Cursor.Prev()
	case r.begun:
		there = r.Cursor.Next()
	case r.reverse && r.high != nil:
		there = r.SeekBefore(r.high)
	case r.reverse:
		there = r.Last()
	case r.low != nil:
		there = r.Seek(r.low)
	default:
		there = r.First()
	}
	r.begun = true
	if !there {
		return false
	}
	if r.reverse {
		return r.low == nil || bytes.Compare(r.Key(), r.low) >= 0
	}
	return r.high == nil || bytes.Compare(r.Key(), r.high) < 0
}
