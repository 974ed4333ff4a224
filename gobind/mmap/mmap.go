// Package mmap maps files and shared memory: mmap(2), UNPv2 chapter 12. Whatever has a
// descriptor can be mapped: a file, an object of package posixshm, a memfd. Memory of
// package sysvshm is mapped by attaching it; [Protect], [Advise], [Catch], [View] and
// [Slice] are for all.
//
// There is no shim in C: libc adds nothing to these system calls.
//
// # Errors
//
// A failed call is an *os.SyscallError. Touching memory that nothing is behind is no
// call: [Catch] makes a [*FaultError] of it, which is unix.EFAULT, as the kernel says
// when it is given such memory.
//
// # Caveats
//
//   - A mapping does not follow its file. Where the file has become shorter, and where
//     its file system is full, touching the memory is SIGBUS, which ends a Go program
//     outside [Catch].
//   - What is written to a shared mapping is in the file for all who read it, at once,
//     and on the disk no earlier than [Sync] returns.
//   - The kernel orders nothing between those who share memory: that is for semaphores
//     or atomics.
//   - A slice that was unmapped must not be touched, and nothing checks it.
package mmap

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// Map maps bytes of a descriptor from an offset on, which is a multiple of the page
// size; of a file's last page what is behind its end is zero and of no effect. protection
// is unix.PROT_READ, PROT_WRITE, PROT_NONE; flags are unix.MAP_SHARED or MAP_PRIVATE
// and others of mmap(2), not MAP_FIXED. With MAP_ANONYMOUS fd is -1. The descriptor can be
// closed then. Errors: EINVAL, EACCES (not opened so), EPERM (sealed), ENODEV, ENOMEM.
func Map(fd int, offset int64, bytes, protection, flags int) ([]byte, error) {
	if flags&(unix.MAP_FIXED|unix.MAP_FIXED_NOREPLACE) != 0 {
		return nil, errs.Call("mmap", unix.EINVAL) // there is no address to fix it to
	}
	memory, err := unix.Mmap(fd, offset, bytes, protection, flags)
	return memory, errs.Call("mmap", errs.Errno(err))
}

// Unmap ends a mapping, given as [Map] or [Remap] returned it. Error: EINVAL, also the
// second time.
func Unmap(memory []byte) error { return errs.Call("munmap", errs.Errno(unix.Munmap(memory))) }

// Remap makes a mapping longer or shorter, given as [Map] or Remap returned it. With
// unix.MREMAP_MAYMOVE in flags it may go elsewhere; the old slice and all that points into
// it must not be touched then. The file is not made longer. See mremap(2).
// Errors: ENOMEM (no room here, and it may not move), EINVAL, EFAULT.
func Remap(memory []byte, bytes, flags int) ([]byte, error) {
	memory, err := unix.Mremap(memory, bytes, flags)
	return memory, errs.Call("mremap", errs.Errno(err))
}

// Sync writes what was changed in the pages of memory, any part of a mapping, to the
// file: with unix.MS_SYNC before it returns, with MS_ASYNC some time. See msync(2).
// Errors: EIO and what the device says, ENOMEM (not mapped), EINVAL.
func Sync(memory []byte, flags int) error {
	return onPages("msync", memory, func(pages []byte) error { return unix.Msync(pages, flags) })
}

// Protect changes what may be done with the pages of memory, any part of a mapping. See
// mprotect(2). Touching them otherwise is SIGSEGV, which [Catch] sees as well.
// Errors: EACCES (not opened so), ENOMEM.
func Protect(memory []byte, protection int) error {
	return onPages("mprotect", memory, func(pages []byte) error { return unix.Mprotect(pages, protection) })
}

// Advise tells the kernel of the pages of memory, any part of a mapping: unix.MADV_WILLNEED,
// MADV_SEQUENTIAL, MADV_HUGEPAGE and others of madvise(2). MADV_POPULATE_READ and
// MADV_POPULATE_WRITE touch them all, and where touching would be SIGBUS the error is EFAULT.
// Errors: EINVAL, ENOMEM, EFAULT.
func Advise(memory []byte, advice int) error {
	return onPages("madvise", memory, func(pages []byte) error { return unix.Madvise(pages, advice) })
}

// PageSize is the size of a page in bytes.
var PageSize = os.Getpagesize()

// onPages calls for memory from the beginning of its first page on; for none of it, not.
func onPages(name string, memory []byte, call func(pages []byte) error) error {
	if len(memory) == 0 {
		return nil
	}
	first := unsafe.Pointer(&memory[0])
	before := int(uintptr(first) % uintptr(PageSize))
	pages := unsafe.Slice((*byte)(unsafe.Add(first, -before)), before+len(memory))
	return errs.Call(name, errs.Errno(call(pages)))
}
