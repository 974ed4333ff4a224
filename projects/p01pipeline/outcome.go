package p01pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// Exit is the stage's status as a shell gives it: the exit status, 128 plus the
// signal that killed it, 127 for a command that was not found and 126 for one
// that could not be executed.
func (o *Outcome) Exit() int {
	switch {
	case o.Err == nil:
		return o.Status.Shell()
	case errors.Is(o.Err, unix.ENOENT):
		return 127
	}
	return 126
}

// String says how the stage ended.
func (o *Outcome) String() string {
	if o.Err == nil {
		return fmt.Sprintf("%s: %s", o.Text, o.Status)
	}
	cause := o.Err
	var exec *fs.PathError
	if errors.As(cause, &exec) {
		cause = exec.Err
	}
	if name := o.Args[0]; errors.Is(cause, unix.ENOENT) && !strings.Contains(name, "/") {
		return name + ": command not found"
	}
	return fmt.Sprintf("%s: %v", o.Args[0], cause)
}

// Unusual says that the stage is worth a message even if nobody asked: it could
// not be executed, or a signal killed it that is not part of a pipeline's life.
func (o *Outcome) Unusual() bool {
	if o.Err != nil {
		return true
	}
	if o.Status.Exited() {
		return false
	}
	sig := o.Status.Signal()
	return sig != unix.SIGPIPE && sig != unix.SIGINT
}

// Exit is the pipeline's status: that of its last stage or, with pipefail, that
// of the last one that did not end with 0.
func (p *Pipeline) Exit(pipefail bool) int {
	for i := len(p.Stages) - 1; i >= 0; i-- {
		if exit := p.Stages[i].Exit(); exit != 0 || !pipefail {
			return exit
		}
	}
	return 0
}
