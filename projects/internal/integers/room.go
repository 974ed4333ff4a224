package integers

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is what a huge page of this machine has at least, in bytes.
const hugePage = 2 << 20

// Room is memory for n numbers. Where there are many the kernel is asked for huge pages: to
// hand out memory page by page, each at its first touch, costs as much as to sort what
// comes into it, and to sort jumps from page to page.
func Room(n int) []int32 {
	numbers := make([]int32, n)
	if bytes := Bytes(numbers); len(bytes) >= hugePage/2 {
		// To the huge pages at both ends belongs more of Go's heap, whose regions begin and
		// end with a huge page. It is advice, and all the same if it is not taken.
		first := uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))
		from, to := first&^(hugePage-1), (first+uintptr(len(bytes))+hugePage-1)&^(hugePage-1)
		_, _, _ = unix.RawSyscall(unix.SYS_MADVISE, from, to-from, unix.MADV_HUGEPAGE)
	}
	return numbers
}
