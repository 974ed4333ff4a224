package p03popen

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// swapped calls f while descriptor fd is the one that by is; by -1: closed.
func swapped(fd, by int, f func()) {
	saved, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 10)
	if by < 0 {
		_ = unix.Close(fd) // it may be closed already
	} else if err := unix.Dup3(by, fd, 0); err != nil {
		panic(os.NewSyscallError("dup3", err))
	}
	f()
	if err != nil {
		_ = unix.Close(fd)
		return
	}
	if err := unix.Dup3(saved, fd, 0); err != nil {
		panic(os.NewSyscallError("dup3", err))
	}
	_ = unix.Close(saved) // a duplicate
}

// scratch is a file without a name.
func scratch() *os.File {
	fd, err := unix.MemfdCreate("scratch", unix.MFD_CLOEXEC)
	if err != nil {
		panic(os.NewSyscallError("memfd_create", err))
	}
	return os.NewFile(uintptr(fd), "scratch")
}

// content is what has been written to a scratch file, which it closes.
func content(f *os.File) string {
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// openDescriptors counts them, but for the Go runtime's own.
func openDescriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	n := 0
	for _, e := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if target != "anon_inode:[eventpoll]" && target != "anon_inode:[eventfd]" {
			n++
		}
	}
	return n
}

// haveChildren says whether this process has any child, dead or alive.
func haveChildren() bool {
	return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) != unix.ECHILD
}
