package p14mmapdb

// Batch are records that are to be put together. The zero value is empty.
type Batch struct {
	bytes []byte
	ends  []int // of a key, of its value, of the next key
}

// Put adds a record. Key and value are copied.
func (b *Batch) Put(key, value []byte) {
	b.bytes = append(b.bytes, key...)
	b.ends = append(b.ends, len(b.bytes))
	b.bytes = append(b.bytes, value...)
	b.ends = append(b.ends, len(b.bytes))
}

// Len is the number of records.
func (b *Batch) Len() int { return len(b.ends) / 2 }

// Apply puts the records, in the order in which they came.
func (b *Batch) Apply(t *Tx) error {
	start := 0
	for i := 0; i < len(b.ends); i += 2 {
		if err := t.Put(b.bytes[start:b.ends[i]], b.bytes[b.ends[i]:b.ends[i+1]]); err != nil {
			return err
		}
		start = b.ends[i+1]
	}
	return nil
}
