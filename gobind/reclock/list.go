package reclock

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Held is a lock on a file, or one that somebody waits for.
type Held struct {
	Lock
	Owner   Owner
	Waiting bool // for a lock that conflicts with it
}

// List is all record locks on a file, and who waits for one, as /proc/locks has them.
// Locks of flock(2) and leases are left out. On a file system that shows another device to
// stat(2) than the kernel has (some of btrfs and overlayfs) nothing is found, and in a pid
// namespace some kernels leave out what processes outside it hold.
// Errors: *os.SyscallError of fstat (EBADF); *fs.PathError where /proc is missing.
func List(fd int) ([]Held, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, os.NewSyscallError("fstat", err)
	}
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	var before []Held
	for attempt := 0; ; attempt++ {
		text, reads, err := readLocks()
		if err != nil {
			return nil, err
		}
		var held []Held
		for line := range strings.Lines(text) {
			h, of, err := parse(line)
			if err != nil {
				return nil, err
			}
			if of == file {
				held = append(held, h)
			}
		}
		// One read is of one moment. Between two of them a lock may come or go, and
		// another one be skipped or told twice: then it takes two equal lists.
		if reads == 1 || attempt > 0 && slices.Equal(held, before) || attempt == 20 {
			return held, nil
		}
		before = held
	}
}

// readLocks is the text of /proc/locks, and how many reads it took.
func readLocks() (text string, reads int, err error) {
	const path = "/proc/locks"
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	for buf := make([]byte, 1<<16); ; reads++ {
		n, err := f.Read(buf)
		if err == io.EOF {
			return text, max(reads, 1), nil
		}
		if err != nil {
			return "", 0, err
		}
		text += string(buf[:n])
	}
}

// parse reads a line of /proc/locks; of is "" for what is no record lock:
//
//	1: POSIX  ADVISORY  WRITE 4711 fe:00:131 0 EOF
//	1: -> POSIX  ADVISORY  READ 4712 fe:00:131 0 99
func parse(line string) (h Held, of string, err error) {
	f := strings.Fields(line)
	if len(f) > 1 && f[1] == "->" {
		h.Waiting = true
		f = append(f[:1], f[2:]...)
	}
	if len(f) < 2 || f[1] != "POSIX" && f[1] != "OFDLCK" {
		return h, "", nil
	}
	if len(f) != 8 {
		return h, "", fmt.Errorf("/proc/locks: unknown form %q", line)
	}
	if f[1] == "OFDLCK" {
		h.Owner = Description
	}
	h.Kind = Read
	if f[3] == "WRITE" {
		h.Kind = Write
	}
	last := int64(math.MaxInt64)
	var errors [3]error
	h.PID, errors[0] = strconv.Atoi(f[4])
	h.Start, errors[1] = strconv.ParseInt(f[6], 10, 64)
	if f[7] != "EOF" {
		last, errors[2] = strconv.ParseInt(f[7], 10, 64)
		h.Length = last - h.Start + 1
	}
	for _, err := range errors {
		if err != nil {
			return h, "", fmt.Errorf("/proc/locks: %q: %w", line, err)
		}
	}
	return h, f[5], nil
}
