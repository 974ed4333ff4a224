package ipctest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Sleepers are the threads of this process that sleep in a system call with this number
// and, where a condition is given, with such arguments.
func Sleepers(call uintptr, only ...func(args [6]uintptr) bool) (tids []int) {
	tasks, _ := filepath.Glob("/proc/self/task/*/syscall")
	for _, task := range tasks {
		// NUMBER ARGUMENT…, in hexadecimal; "running" where the thread does not sleep.
		text, _ := os.ReadFile(task)
		var number uintptr
		var a [6]uintptr
		if _, err := fmt.Sscan(string(text), &number, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5]); err != nil || number != call {
			continue
		}
		if len(only) > 0 && !only[0](a) {
			continue
		}
		var tid int
		if _, err := fmt.Sscanf(strings.TrimPrefix(task, "/proc/self/task/"), "%d/", &tid); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids
}

// Asleep waits until there are n [Sleepers], and returns them. They are those of one
// look: a sleeper that a signal has hit is out of the call until it sleeps again.
func Asleep(t testing.TB, call uintptr, n int, only ...func(args [6]uintptr) bool) (tids []int) {
	t.Helper()
	Eventually(t, func() bool {
		tids = Sleepers(call, only...)
		return len(tids) == n
	}, fmt.Sprintf("%d threads sleep in system call %d", n, call))
	return tids
}
