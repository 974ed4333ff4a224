package mmap

import (
	"fmt"
	"reflect"
	"unsafe"
)

// View is the T at an offset of memory. Other processes see its fields where C's
// compiler puts them, if they have types of fixed size in the same order.
// It is an error if T is not all in memory, if the address has not T's alignment, and if
// a T holds Go pointers (strings, slices, maps, …), which mean nothing to others.
func View[T any](memory []byte, offset int) (*T, error) {
	s, err := Slice[T](memory, offset, 1)
	if err != nil {
		return nil, err
	}
	return &s[0], nil
}

// Slice is n values of type T from an offset of memory on, with the conditions of [View].
// Its capacity is its length.
func Slice[T any](memory []byte, offset, n int) ([]T, error) {
	t := reflect.TypeFor[T]()
	if where := pointerIn(t); where != "" {
		return nil, fmt.Errorf("view of %v: %s is a pointer, which has no meaning in shared memory", t, where)
	}
	size := int(t.Size())
	if offset < 0 || n < 0 || offset > len(memory) || size > 0 && n > (len(memory)-offset)/size {
		return nil, fmt.Errorf("view of %d %v (%d bytes each) at %d: the memory has %d bytes", n, t, size, offset, len(memory))
	}
	at := unsafe.Pointer(unsafe.SliceData(memory[offset:]))
	if uintptr(at)%uintptr(t.Align()) != 0 {
		return nil, fmt.Errorf("view of %v at %d: the address is no multiple of %d", t, offset, t.Align())
	}
	return unsafe.Slice((*T)(at), n), nil
}

// pointerIn names a part of t that holds a Go pointer, "" if none does.
func pointerIn(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Array:
		if t.Len() == 0 {
			return ""
		}
		return pointerIn(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if where := pointerIn(f.Type); where != "" {
				return f.Name + " " + where
			}
		}
		return ""
	case reflect.Pointer, reflect.UnsafePointer, reflect.String, reflect.Slice, reflect.Map,
		reflect.Chan, reflect.Func, reflect.Interface:
		return t.String()
	default:
		return ""
	}
}
