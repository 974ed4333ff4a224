package script

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
	"unpipc/gobind/sysvsem"
	"unpipc/gobind/sysvshm"
)

// leftovers are what a script's programs leave: processes, which are known by UNIQUE in
// the environment that they inherit, for a process number alone would not say whose
// children's children they are; and objects with names or keys that the script gave them.
// The zero value is ready when these are set.
type leftovers struct {
	unique, key string // the script's UNIQUE and SYSV_KEY
	over        chan struct{}
	wait        sync.WaitGroup
}

// killAfter kills the processes, and those that they start then, from after the given time until
// the end.
func (l *leftovers) killAfter(d time.Duration) {
	if l.over == nil {
		l.over = make(chan struct{})
	}
	l.wait.Go(func() {
		for next := d; ; next = 50 * time.Millisecond {
			select {
			case <-l.over:
				return
			case <-time.After(next):
				l.kill()
			}
		}
	})
}

// end ends what killAfter has begun, and removes everything.
func (l *leftovers) end() {
	if l.over == nil {
		return
	}
	close(l.over)
	l.wait.Wait()
	for l.kill() > 0 {
		time.Sleep(time.Millisecond)
	}
	l.removeObjects()
}

func (l *leftovers) removeObjects() {
	// 12-3 is part of 12-34 and 112-3 too. A program may call what goes with a System V
	// object by its key.
	ours := regexp.MustCompile(`(^|\D)` + l.unique + `(\D|$)|` + l.key)
	for _, dir := range []string{"/dev/shm", "/dev/mqueue"} {
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, file := range files {
			if ours.MatchString(filepath.Base(file)) {
				_ = os.Remove(file) // somebody else may have
			}
		}
	}
	number, err := strconv.ParseUint(l.key, 0, 31)
	if err != nil {
		return
	}
	// What is not there needs no removing.
	if q, err := sysvmq.Get(sysvmq.Key(number), 0); err == nil {
		_ = q.Remove()
	}
	if set, err := sysvsem.Get(sysvsem.Key(number), 0, 0); err == nil {
		_ = set.Remove()
	}
	if m, err := sysvshm.Get(sysvshm.Key(number), 0, 0); err == nil {
		_ = m.Remove()
	}
}

func (l *leftovers) kill() (found int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		// Empty for a zombie, and not readable for others' processes.
		environ, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(append([]byte{0}, environ...), []byte("\x00UNIQUE="+l.unique+"\x00")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && unix.Kill(pid, unix.SIGKILL) == nil {
			found++
		}
	}
	return found
}
