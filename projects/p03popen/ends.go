package p03popen

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
	"unpipc/gobind/process"
)

// held opens a stream whose command shares a pipe as standard input, by which it
// is told to go on.
func (t *trial) held() (s stream, goOn func()) {
	r, w, err := pipe.New(0)
	if err != nil {
		t.fail("%v", err)
		return nil, nil
	}
	swapped(0, r.Fd(), func() { s = t.open(t.Command, t.Mode) })
	_ = r.Close()
	if s == nil {
		_ = w.Close()
	}
	return s, func() {
		if _, err := w.Write([]byte("go\n")); err != nil {
			t.fail("%v", err)
		}
		_ = w.Close()
	}
}

func earlyEnd(t *trial) {
	s, goOn := t.held()
	if s == nil {
		return
	}
	t.readAll(s, t.output) // would not return if the end of file waited for the command
	goOn()
	t.close(s, t.returns)
}

func lateEnd(t *trial) {
	s, goOn := t.held()
	if s == nil {
		return
	}
	t.readLine(s, "early\n")
	// The shell ends now; what it left in the background has the pipe.
	if err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.fail("waitid: %v", err)
	}
	goOn()
	t.readAll(s, t.output)
	t.close(s, t.returns)
}

// hangUp reads one line of many and closes.
func hangUp(t *trial) {
	s := t.open(t.Command, t.Mode)
	if s == nil {
		return
	}
	t.readLine(s, "y\n")
	t.close(s, t.returns)
}

func brokenPipe(t *trial) {
	s := t.open(t.Command, t.Mode)
	if s == nil {
		return
	}
	// More than a pipe holds, should the command not be gone yet.
	_, err := s.Write(make([]byte, 4<<20))
	if err == nil {
		t.fail("Write succeeded")
	} else {
		t.say("Write failed: %s", errnoName(err))
		t.want("the error", errnoName(err), "EPIPE")
	}
	t.close(s, t.returns)
}

func closeTwice(t *trial) {
	s := t.open(t.Command, t.Mode)
	if s == nil {
		return
	}
	t.close(s, t.returns)
	t.close(s, "-1 (ECHILD)")
}

func closeUnknown(t *trial) {
	s := t.open(t.Command, t.Mode)
	if s == nil {
		return
	}
	t.close(t.impl.unknown(), "-1 (ECHILD)")
	t.close(s, t.returns)
}

func reaped(t *trial) {
	s := t.open(t.Command, t.Mode)
	if s == nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(t.line(s)))
	if err != nil {
		t.fail("%v", err)
	}
	var ws unix.WaitStatus
	if _, err := unix.Wait4(pid, &ws, 0, nil); err != nil {
		t.fail("waitpid: %v", err)
	}
	t.say("waitpid returned: %d", ws.ExitStatus())
	t.want("the status", fmt.Sprint(ws.ExitStatus()), "12")
	t.close(s, t.returns)
}

func otherChild(t *trial) {
	other, err := process.Start(&process.Cmd{Args: []string{"/bin/sh", "-c", "exit 33"}})
	if err != nil {
		t.fail("%v", err)
		return
	}
	if err := unix.Waitid(unix.P_PID, other.Pid(), nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.fail("waitid: %v", err)
	}
	exchange(t)
	status, err := other.Wait()
	t.say("waitpid returned: %s", outcome(status, err))
	t.want("the other child's status", outcome(status, err), "33")
}
