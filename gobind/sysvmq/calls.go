package sysvmq

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/racedetect"
)

// rawLimit, in bytes, bounds how long a raw call can keep its thread from the
// scheduler: copying more takes so long that a word to it does not matter.
const rawLimit = 64 << 10

// sendNow is msgsnd that does not sleep, which flags must say.
func sendNow(id int, m *Message, n, flags int) syscall.Errno {
	if n > rawLimit {
		return sendLater(id, m, n, flags)
	}
	racedetect.Giving()
	_, _, errno := syscall.RawSyscall6(unix.SYS_MSGSND, uintptr(id), uintptr(unsafe.Pointer(&m.buf[0])),
		uintptr(n), uintptr(flags), 0, 0)
	return errno
}

// sendLater is msgsnd.
func sendLater(id int, m *Message, n, flags int) syscall.Errno {
	racedetect.Giving()
	_, _, errno := syscall.Syscall6(unix.SYS_MSGSND, uintptr(id), uintptr(unsafe.Pointer(&m.buf[0])),
		uintptr(n), uintptr(flags), 0, 0)
	return errno
}

// receiveNow is msgrcv that does not sleep, which flags must say.
func receiveNow(id int, m *Message, mtype int64, flags int) (int, syscall.Errno) {
	if len(m.buf) > rawLimit {
		return receiveLater(id, m, mtype, flags)
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_MSGRCV, uintptr(id), uintptr(unsafe.Pointer(&m.buf[0])),
		uintptr(len(m.buf)-header), uintptr(mtype), uintptr(flags), 0)
	return received(n, errno)
}

// receiveLater is msgrcv.
func receiveLater(id int, m *Message, mtype int64, flags int) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall6(unix.SYS_MSGRCV, uintptr(id), uintptr(unsafe.Pointer(&m.buf[0])),
		uintptr(len(m.buf)-header), uintptr(mtype), uintptr(flags), 0)
	return received(n, errno)
}

func received(n uintptr, errno syscall.Errno) (int, syscall.Errno) {
	if errno != 0 {
		return 0, errno
	}
	racedetect.Taken()
	return int(n), 0
}
