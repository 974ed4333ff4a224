// Package alive tells whether a process is the one that it was: a number of a process is
// given again, but not together with the time of its start. ref/alive.h has that for C.
package alive

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Started is when a process was started, in clock ticks since the machine was: field
// 22 of /proc/PID/stat. ok is false if there is none, or only a zombie.
func Started(pid int) (ticks uint64, ok bool) {
	// Not os.ReadFile: some do this for every request.
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

// Is says whether the process that was started then is alive.
func Is(pid int, started uint64) bool {
	ticks, ok := Started(pid)
	return ok && ticks == started
}

// Stopped says whether all threads of a process have stopped: kill(2) returns before.
func Stopped(pid int) bool {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if _, fields, found := lastCut(stat, ") "); err != nil || !found || fields[0] != 'T' {
			return false
		}
	}
	return err == nil && len(stats) > 0
}

// lastCut is bytes.Cut at the last separator.
func lastCut(text []byte, separator string) (before, after []byte, found bool) {
	if at := bytes.LastIndex(text, []byte(separator)); at >= 0 {
		return text[:at], text[at+len(separator):], true
	}
	return text, nil, false
}
