package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

const (
	keySize    = 16
	valueSize  = 100
	fillBatch  = 1000
	setupBatch = 20000
	getsAtOnce = 100
)

// store is what is measured.
type store interface {
	// Update commits what f puts.
	Update(f func(put func(key, value []byte) error) error) error
	// View calls f with one state; get gives nil for a key that is not there.
	View(f func(get func(key []byte) []byte) error) error
	// Scan calls f with the records in order, until it returns false.
	Scan(f func(key, value []byte) bool) error
	Close() error
}

// load has keys of 16 digits, and values of 100 bytes: their number, how often they were
// put, and a filling.
type load struct {
	store
	records uint64
	number  uint64
	last    []uint64 // how often a record was put
	key     [keySize]byte
	value   [valueSize]byte
}

var loads = map[string]func(l *load, count uint64) error{
	"setup":  func(l *load, count uint64) error { return l.fill(count, setupBatch) },
	"fill":   func(l *load, count uint64) error { return l.fill(count, fillBatch) },
	"puts":   (*load).puts,
	"gets":   func(l *load, count uint64) error { return l.gets(count, count) },
	"beside": func(l *load, count uint64) error { return l.gets(count, getsAtOnce) },
	"scan":   func(l *load, count uint64) error { return l.scan(count, l.records) },
}

var errValue = errors.New("a value is not what was put")

func newLoad(s store, records uint64) *load {
	l := &load{store: s, records: records, number: 12345, last: make([]uint64, records+1)}
	copy(l.value[:], bytes.Repeat([]byte{'v'}, valueSize))
	return l
}

func (l *load) draw() uint64 {
	l.number = l.number*6364136223846793005 + 1442695040888963407
	return l.number >> 33 % l.records
}

func (l *load) make(i, times uint64) {
	binary.LittleEndian.PutUint64(l.value[:], i)
	binary.LittleEndian.PutUint64(l.value[8:], times)
	for at := keySize - 1; at >= 0; at-- {
		l.key[at] = byte('0' + i%10)
		i /= 10
	}
}

// next is make for the number after the last one.
func (l *load) next(i, times uint64) {
	binary.LittleEndian.PutUint64(l.value[:], i)
	binary.LittleEndian.PutUint64(l.value[8:], times)
	at := keySize - 1
	for ; l.key[at] == '9'; at-- {
		l.key[at] = '0'
	}
	l.key[at]++
}

// right compares a value; times: also how often it was put.
func (l *load) right(b []byte, times bool) bool {
	if len(b) != valueSize {
		return false
	}
	v := (*[valueSize]byte)(b)
	return string(v[:8]) == string(l.value[:8]) && string(v[16:]) == string(l.value[16:]) &&
		(!times || string(v[8:16]) == string(l.value[8:16]))
}

// fill puts all numbers below count, in an order that jumps.
func (l *load) fill(count, batch uint64) error {
	step := count/8*5 + 1
	for count > 1 && divisor(step, count) != 1 {
		step++
	}
	i := uint64(0)
	for done := uint64(0); done < count; {
		err := l.Update(func(put func(key, value []byte) error) error {
			for k := uint64(0); k < batch && done < count; k++ {
				l.make(i, 0)
				if err := put(l.key[:], l.value[:]); err != nil {
					return err
				}
				i = (i + step) % count
				done++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func divisor(a, b uint64) uint64 {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

func (l *load) puts(count uint64) error {
	for n := range count {
		i := l.draw()
		l.last[i]++
		l.make(i, l.last[i])
		err := l.Update(func(put func(key, value []byte) error) error { return put(l.key[:], l.value[:]) })
		if err != nil {
			return err
		}
		if n == 0 && count > math.MaxUint32 {
			fmt.Println("writing")
		}
	}
	return nil
}

func (l *load) gets(count, atOnce uint64) error {
	for n := uint64(0); n < count; {
		err := l.View(func(get func(key []byte) []byte) error {
			for k := uint64(0); k < atOnce && n < count; k++ {
				l.make(l.draw(), 0)
				if !l.right(get(l.key[:]), false) {
					return errValue
				}
				n++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scan goes through all records, again and again.
func (l *load) scan(count, records uint64) error {
	for n := uint64(0); n < count; {
		i, wrong := uint64(0), error(nil)
		err := l.Scan(func(key, value []byte) bool {
			times := uint64(0)
			if i < uint64(len(l.last)) {
				times = l.last[i]
			}
			if i == 0 {
				l.make(0, times)
			} else {
				l.next(i, times)
			}
			if string(key) != string(l.key[:]) {
				wrong = fmt.Errorf("the record after %d others is %q", i, key)
			} else if !l.right(value, true) {
				wrong = errValue
			}
			i++
			n++
			return wrong == nil && n < count
		})
		if err == nil {
			err = wrong
		}
		if err == nil && n < count && i != records {
			err = fmt.Errorf("%d records, not %d", i, records)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
