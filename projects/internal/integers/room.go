package integers

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is what a huge page of this machine has at least, in bytes.
const hugePage = 2 << 20

// Room is memory for n numbers. Where there are many the kernel is asked for huge pages: each
// page costs a fault when it is first touched, and a pass of sorting jumps among more small
// ones than the processor has in its first table of them.
func Room(n int) []int32 {
	numbers := make([]int32, n)
	if bytes := Bytes(numbers); len(bytes) >= hugePage/2 {
		// The huge pages at both ends also hold other parts of Go's heap, whose regions begin
		// and end with a huge page. It is advice, so an error leaves all as it was.
		first := uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))
		from, to := first&^(hugePage-1), (first+uintptr(len(bytes))+hugePage-1)&^(hugePage-1)
		_, _, _ = unix.RawSyscall(unix.SYS_MADVISE, from, to-from, unix.MADV_HUGEPAGE)
	}
	return numbers
}
