package stress

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"unpipc/gobind/posixmq"
	"unpipc/gobind/sysvmq"
	"unpipc/gobind/sysvsem"
	"unpipc/gobind/sysvshm"
)

// snapshot is what a scenario could leave behind: by what it is known, in words.
type snapshot map[string]bool

// take lists what there is now: this process's descriptors and children, and objects of
// this process by their names or keys.
func take() snapshot {
	s := snapshot{}
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		// The descriptor of the listing itself is gone by now.
		if target, err := os.Readlink(fd); err == nil {
			s[fmt.Sprintf("descriptor %s -> %s", filepath.Base(fd), target)] = true
		}
	}
	s.children()
	mine := fmt.Sprintf("unpipc-%d-stress-", os.Getpid())
	for _, dir := range []string{"/dev/shm", os.TempDir()} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if strings.HasPrefix(strings.TrimPrefix(e.Name(), "sem."), mine) {
				s[filepath.Join(dir, e.Name())] = true
			}
		}
	}
	queues, _ := posixmq.List()
	for _, name := range queues {
		if strings.HasPrefix(name, "/"+mine) {
			s["message queue "+name] = true
		}
	}
	s.systemV()
	return s
}

// children reads all of /proc: not every kernel has /proc/PID/task/TID/children.
func (s snapshot) children() {
	stats, _ := filepath.Glob("/proc/[1-9]*/stat")
	parent := fmt.Sprint(os.Getpid())
	for _, file := range stats {
		stat, _ := os.ReadFile(file)
		// PID (NAME) STATE PPID …, and NAME may hold anything.
		if end := strings.LastIndex(string(stat), ") "); end >= 0 {
			if f := strings.Fields(string(stat[end+2:])); len(f) > 1 && f[1] == parent {
				s["process "+string(stat[:end+1])] = true
			}
		}
	}
}

func (s snapshot) systemV() {
	queues, _ := sysvmq.List()
	for _, q := range queues {
		if ownKey(q.Key) {
			s[fmt.Sprintf("System V message queue, key %s, id %d", q.Key, q.ID)] = true
		}
	}
	sets, _ := sysvsem.List()
	for _, set := range sets {
		if ownKey(set.Key) {
			s[fmt.Sprintf("System V semaphores, key %s, id %d", set.Key, set.ID)] = true
		}
	}
	segments, _ := sysvshm.List()
	for _, seg := range segments {
		if ownKey(seg.Key) {
			s[fmt.Sprintf("System V shared memory, key %s, id %d", seg.Key, seg.ID)] = true
		}
	}
}

// leaks is what is there now and was not before.
func leaks(before snapshot) []string {
	for deadline := time.Now().Add(leakPatience); ; pause() {
		var left []string
		for what := range take() {
			if !before[what] {
				left = append(left, what)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			slices.Sort(left)
			return left
		}
	}
}

// prime has the runtime open what it keeps open for its timers.
func prime() { time.Sleep(time.Microsecond) }

// leakPatience is what the kernel is given to end what was closed.
var leakPatience = 5 * time.Second
