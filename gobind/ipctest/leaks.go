package ipctest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"time"
)

// snapshot is everything that a test could leave behind, by name.
type snapshot struct {
	things     map[string]bool
	goroutines int
}

// take lists what is there now.
func take() snapshot {
	s := snapshot{map[string]bool{}, runtime.NumGoroutine()}
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		// The descriptor of the listing itself is gone by now; Go's poller is for ever.
		if err != nil || target == "anon_inode:[eventpoll]" || target == "anon_inode:[eventfd]" {
			continue
		}
		s.things[fmt.Sprintf("descriptor %s -> %s", filepath.Base(fd), target)] = true
	}
	children, _ := filepath.Glob("/proc/self/task/*/children")
	for _, file := range children {
		pids, _ := os.ReadFile(file)
		for pid := range strings.FieldsSeq(string(pids)) {
			stat, _ := os.ReadFile("/proc/" + pid + "/stat")
			name, _, _ := strings.Cut(string(stat), ") ")
			state, _, _ := strings.Cut(strings.TrimPrefix(string(stat), name+") "), " ")
			s.things[fmt.Sprintf("child %s) state %s", name, state)] = true
		}
	}
	for _, dir := range []string{"/dev/mqueue", "/dev/shm", os.TempDir()} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			// Where others work too, only our own names count.
			mine := strings.Contains(e.Name(), namePrefix)
			if mine || isolated() && dir != os.TempDir() {
				s.things[filepath.Join(dir, e.Name())] = true
			}
		}
	}
	for _, kind := range []string{"msg", "sem", "shm"} {
		if !isolated() {
			break // their creators cannot be told
		}
		table, _ := os.ReadFile("/proc/sysvipc/" + kind)
		for i, line := range bytes.Split(table, []byte("\n")) {
			if f := bytes.Fields(line); i > 0 && len(f) > 1 {
				s.things[fmt.Sprintf("System V %s key %s id %s", kind, f[0], f[1])] = true
			}
		}
	}
	return s
}

// leaks is what is there now and was not before, after a moment's grace for
// goroutines and children that are just ending.
func leaks(before snapshot) []string {
	for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		now := take()
		var left []string
		for name := range now.things {
			if !before.things[name] {
				left = append(left, name)
			}
		}
		if n := now.goroutines - before.goroutines; n > 0 {
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			left = append(left, fmt.Sprintf("%d goroutines:\n%s", n, stacks))
		}
		if len(left) == 0 || time.Now().After(deadline) {
			sort.Strings(left)
			return left
		}
	}
}
