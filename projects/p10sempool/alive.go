package p10sempool

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// started is when a process was started, in clock ticks since the machine was: field
// 22 of /proc/PID/stat. Together with the pid it names the process for good. alive is
// false if there is none, or only a zombie.
func started(pid int32) (ticks uint64, alive bool) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(int(pid))+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
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
	behind := bytes.LastIndexByte(stat[:n], ')')
	fields := bytes.Fields(stat[behind+1 : n])
	if behind < 0 || len(fields) < 20 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
		return 0, false
	}
	ticks, err = strconv.ParseUint(string(fields[19]), 10, 64)
	return ticks, err == nil
}

// isProcess says whether the process that was started then is alive.
func isProcess(pid int32, since uint64) bool {
	ticks, alive := started(pid)
	return alive && ticks == since
}

// now is CLOCK_MONOTONIC in nanoseconds: the same for all processes.
func now() uint64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // cannot fail
	return uint64(ts.Nano())
}
