package process

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Status is a wait status as waitpid(2) stores it.
type Status unix.WaitStatus

// Exited says that the process ended by exit; [Status.Code] is then its status.
func (s Status) Exited() bool { return unix.WaitStatus(s).Exited() }

// Code is the exit status, 0 to 255; -1 if the process did not exit.
func (s Status) Code() int { return unix.WaitStatus(s).ExitStatus() }

// Signal is the signal that killed the process; -1 if none did.
func (s Status) Signal() syscall.Signal { return unix.WaitStatus(s).Signal() }

// Dumped says that the process left a core dump.
func (s Status) Dumped() bool { return unix.WaitStatus(s).CoreDump() }

// Shell is the status as a shell gives it in $?: the exit status, or 128 plus
// the number of the signal.
func (s Status) Shell() int {
	if s.Exited() {
		return s.Code()
	}
	return 128 + int(s.Signal())
}

// String reads "exit status 1" or "killed by SIGTERM (terminated)".
func (s Status) String() string {
	if s.Exited() {
		return fmt.Sprintf("exit status %d", s.Code())
	}
	name := unix.SignalName(s.Signal())
	if name == "" {
		name = fmt.Sprintf("signal %d", int(s.Signal()))
	}
	text := fmt.Sprintf("killed by %s (%s)", name, s.Signal())
	if s.Dumped() {
		text += ", core dumped"
	}
	return text
}
