// Package xdr passes byte strings and arrays to and from the types of rpcgen. There each
// opaque<> and each array is a struct of its own name, of one layout.
package xdr

/*
#include <stdlib.h>
#include <sys/types.h>
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// array is struct { u_int x_len; T *x_val; }.
type array[T any] struct {
	len C.u_int
	val *T
}

func at[T, A any](a *A) *array[T] {
	if unsafe.Sizeof(*a) != unsafe.Sizeof(array[T]{}) {
		panic("xdr: not an array of rpcgen's")
	}
	return (*array[T])(unsafe.Pointer(a))
}

// Lend lets a, in Go's memory, point to s until pin is unpinned.
func Lend[T, A any](a *A, pin *runtime.Pinner, s []T) {
	if len(s) == 0 {
		return
	}
	pin.Pin(&s[0])
	*at[T](a) = array[T]{C.u_int(len(s)), &s[0]}
}

// Give makes a a copy of s, which xdr_free frees; the elements must hold no pointers into
// Go's memory.
func Give[T, A any](a *A, s []T) {
	if len(s) == 0 {
		return
	}
	var element T
	memory := C.malloc(C.size_t(uintptr(len(s)) * unsafe.Sizeof(element)))
	copy(unsafe.Slice((*T)(memory), len(s)), s)
	*at[T](a) = array[T]{C.u_int(len(s)), (*T)(memory)}
}

// Slice is what a points to, borrowed.
func Slice[T, A any](a *A) []T {
	got := at[T](a)
	return unsafe.Slice(got.val, got.len)
}

// Bytes is a copy of an opaque<>, nil if it is empty.
func Bytes[A any](a *A) []byte { return append([]byte(nil), Slice[byte](a)...) }

// New is zeroed memory for a T, which xdr_free frees where an optional T is meant.
func New[T any]() *T {
	var element T
	return (*T)(C.calloc(1, C.size_t(unsafe.Sizeof(element))))
}
