package mmap

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"unsafe"

	"golang.org/x/sys/unix"
)

// FaultError tells that mapped memory could not be touched.
type FaultError struct {
	Offset int // of the byte in the memory given to [Catch]
}

func (e *FaultError) Error() string {
	return fmt.Sprintf("fault at byte %d of mapped memory: the file has ended before it, or has no room", e.Offset)
}

// Is says that the error is unix.EFAULT.
func (e *FaultError) Is(target error) bool { return target == unix.EFAULT }

// Catch calls touch, and when that touches a byte of memory that nothing is behind
// (SIGBUS: the file was truncated, its file system is full, the disk cannot be read) or
// that is protected (SIGSEGV), ends it there and returns a [*FaultError]. A fault
// elsewhere panics.
//
// What touch had done until then stays done; a lock that it would have unlocked without
// defer stays locked. It works in Go code of this goroutine only: a fault in C, or in a
// goroutine that touch starts, ends the program. A system call that is given the memory,
// such as write(2), returns EFAULT by itself.
func Catch(memory []byte, touch func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface {
			runtime.Error
			Addr() uintptr
		}:
			offset := r.Addr() - uintptr(unsafe.Pointer(unsafe.SliceData(memory)))
			if offset >= uintptr(len(memory)) {
				panic(r)
			}
			err = &FaultError{int(offset)}
		default:
			panic(r)
		}
	}()
	touch()
	return nil
}
