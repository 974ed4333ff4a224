package p05sysvmq

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// started is when a process was started, in clock ticks since the machine was: field
// 22 of /proc/PID/stat. Together with the pid it names the process for good. alive is
// false if there is none, or only a zombie.
func started(pid int) (ticks uint64, alive bool) {
	// Not os.ReadFile: this is done for every request.
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	var stat [1024]byte
	n, err := unix.Read(fd, stat[:])
	if err != nil {
		return 0, false // it ended just now
	}
	// PID (NAME) STATE …, and NAME may hold anything.
	_, fields, found := lastCut(stat[:n], ") ")
	if !found || fields[0] == 'Z' || fields[0] == 'X' {
		return 0, false
	}
	for i := 3; i < 22; i++ {
		_, fields, _ = bytes.Cut(fields, []byte(" "))
	}
	digits, _, _ := bytes.Cut(fields, []byte(" "))
	ticks, err = strconv.ParseUint(string(digits), 10, 64)
	return ticks, err == nil
}

// lastCut is bytes.Cut at the last separator.
func lastCut(text []byte, separator string) (before, after []byte, found bool) {
	if at := bytes.LastIndex(text, []byte(separator)); at >= 0 {
		return text[:at], text[at+len(separator):], true
	}
	return text, nil, false
}

// now is CLOCK_MONOTONIC in nanoseconds: the same for all processes.
func now() uint64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // cannot fail
	return uint64(ts.Nano())
}
