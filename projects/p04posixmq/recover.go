package p04posixmq

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// recover takes up what the dispatcher before has left.
func (d *Dispatcher) recover() error {
	ids, err := d.state.ids("running")
	if err != nil {
		return err
	}
	for _, id := range ids {
		if result, done := d.state.recorded(id); done {
			d.report(id, result)
			continue
		}
		if !d.state.killRemains(id) {
			d.log.printf("Dispatcher: Job %d was interrupted, but is still running and cannot be killed", id)
			continue
		}
		// Said first: it may begin no more often than is said.
		d.log.printf("Dispatcher: Job %d was interrupted; queued again", id)
		if err := os.Rename(d.state.of("running", id), d.state.of("jobs", id)); err != nil {
			return err
		}
	}
	if err := d.state.sweep(); err != nil {
		return err
	}
	d.collect()
	return nil
}

// recorded finds the result of a job in the log.
func (s state) recorded(id int64) (result string, found bool) {
	for _, name := range []string{"log", "log.1"} {
		f, err := os.Open(s.path(name))
		if err != nil {
			continue
		}
		prefix := strconv.FormatInt(id, 10) + " "
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				_, result, found = strings.Cut(rest, " ")
			}
		}
		f.Close()
		if found {
			return result, true
		}
	}
	return "", false
}

// remainsAtMost is how long processes that were killed may take to go.
const remainsAtMost = 15 * time.Second

// killRemains kills what still runs of a job whose dispatcher is gone, so that it
// does not run twice at a time, and says whether nothing is left.
func (s state) killRemains(id int64) bool {
	out, err := os.OpenFile(s.of("output", id), os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err == nil {
		defer out.Close()
	}
	for deadline := time.Now().Add(remainsAtMost); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		found := s.killMarked(id)
		// A process that was killed between its fork and its exec has not got the
		// mark yet, but the output and the lock on it.
		if !found && (out == nil || unix.Flock(int(out.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil) {
			return true
		}
	}
	return false
}

// killMarked kills the processes with a job's environment, and says if it found any.
func (s state) killMarked(id int64) (found bool) {
	environments, _ := filepath.Glob("/proc/[1-9]*/environ")
	var marks [][]byte
	for _, m := range s.mark(id) {
		marks = append(marks, []byte("\x00"+m+"\x00"))
	}
	for _, file := range environments {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, _ := os.ReadFile(file) // another user's cannot be read
		env = append([]byte{0}, env...)
		if bytes.Contains(env, marks[0]) && bytes.Contains(env, marks[1]) {
			found = true
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
	return found
}

// sweep removes drafts of processes that are gone and output of jobs that are.
func (s state) sweep() error {
	drafts, err := os.ReadDir(s.path("new"))
	if err != nil {
		return err
	}
	for _, e := range drafts {
		number, _, _ := strings.Cut(e.Name(), ".")
		pid, err := strconv.Atoi(number)
		if err != nil || pid <= 0 || unix.Kill(pid, 0) == unix.ESRCH {
			_ = os.Remove(s.path("new", e.Name()))
		}
	}
	outputs, err := s.ids("output")
	if err != nil {
		return err
	}
	for _, id := range outputs {
		if _, err := os.Lstat(s.of("running", id)); errors.Is(err, fs.ErrNotExist) {
			_ = os.Remove(s.of("output", id))
		}
	}
	return nil
}
