package ipctest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"time"
)

// snapshot is everything that a test could leave behind: what it is known by, and
// what to tell about it.
type snapshot map[string]string

// take lists what is there now.
func take() snapshot {
	s := snapshot{}
	s.descriptors()
	s.children()
	s.goroutines()
	s.files()
	s.systemV()
	return s
}

func (s snapshot) descriptors() {
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		// The descriptor of the listing itself is gone by now.
		if target, err := os.Readlink(fd); err == nil {
			what := fmt.Sprintf("descriptor %s -> %s", filepath.Base(fd), target)
			s[what] = what
		}
	}
}

// children reads all of /proc: not every kernel has /proc/PID/task/TID/children.
func (s snapshot) children() {
	stats, _ := filepath.Glob("/proc/[1-9]*/stat")
	for _, file := range stats {
		stat, _ := os.ReadFile(file)
		// PID (NAME) STATE PPID …, and NAME may hold anything.
		end := strings.LastIndex(string(stat), ") ")
		if end < 0 {
			continue
		}
		if f := strings.Fields(string(stat[end+2:])); len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
			key := "child " + filepath.Base(filepath.Dir(file))
			s[key] = "child " + string(stat[:end+1]) + map[bool]string{true: ", a zombie"}[f[0] == "Z"]
		}
	}
}

// goroutines leaves out the caller's, and os/signal's, which stays for ever.
func (s snapshot) goroutines() {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for i, g := range strings.Split(string(stacks), "\n\n") {
		if id, _, ok := strings.Cut(g, " ["); ok && i > 0 && !strings.Contains(g, "os/signal.loop") {
			s[id] = g
		}
	}
}

func (s snapshot) files() {
	for _, dir := range []string{"/dev/mqueue", "/dev/shm", os.TempDir()} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			// Where others work too, only our own names count.
			if strings.HasPrefix(strings.TrimPrefix(e.Name(), "sem."), namePrefix) || Isolated() && dir != os.TempDir() {
				what := filepath.Join(dir, e.Name())
				s[what] = what
			}
		}
	}
}

// systemV lists nothing where others work too: creators cannot be told.
func (s snapshot) systemV() {
	if !Isolated() {
		return
	}
	for kind, name := range map[string]string{"msg": "message queue", "sem": "semaphore set", "shm": "shared memory"} {
		table, _ := os.ReadFile("/proc/sysvipc/" + kind)
		for i, line := range strings.Split(string(table), "\n") {
			if f := strings.Fields(line); i > 0 && len(f) > 1 {
				what := fmt.Sprintf("System V %s, key %s, id %s", name, f[0], f[1])
				s[what] = what
			}
		}
	}
}

// grace is what goroutines and children that are just ending are given.
var grace = 20 * time.Second

// leaks is what is there now and was not before.
func leaks(before snapshot) []string {
	for deadline := time.Now().Add(grace); ; time.Sleep(10 * time.Millisecond) {
		var left []string
		for key, what := range take() {
			if _, old := before[key]; !old {
				left = append(left, what)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			sort.Strings(left)
			return left
		}
	}
}
