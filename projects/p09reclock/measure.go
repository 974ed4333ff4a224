package p09reclock

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// Measure does what the benchmark compares with other stores: it sets or gets count
// values of 100 bytes under keys of 16, of which there are so many, in an order that jumps.
// The first 8 bytes of a key are its number, and so are the first of its value; what is got
// is compared. The next 8 bytes of a value count the sets, as there are stores that do not
// write what is there already. "fill" sets every key once.
func (st *Store) Measure(what string, keys int, count int64) (time.Duration, error) {
	key, value := make([]byte, 16), bytes.Repeat([]byte{'v'}, 100)
	copy(key[8:], "-key-key")
	got := make([]byte, 0, 100)
	number := uint64(12345)
	begin := time.Now()
	for i := range count {
		number = number*6364136223846793005 + 1442695040888963407
		n := number >> 33 % uint64(keys)
		if what == "fill" {
			n = uint64(i)
		}
		binary.LittleEndian.PutUint64(key, n)
		binary.LittleEndian.PutUint64(value, n)
		if what != "gets" {
			binary.LittleEndian.PutUint64(value[8:], uint64(begin.UnixNano()+i))
			if err := st.Set(key, value); err != nil {
				return 0, err
			}
			continue
		}
		var err error
		if got, err = st.Append(got[:0], key); err != nil {
			return 0, err
		}
		if len(got) != len(value) || !bytes.Equal(got[:8], value[:8]) || !bytes.Equal(got[16:], value[16:]) {
			return 0, fmt.Errorf("key %d has another value", n)
		}
	}
	return time.Since(begin), nil
}
