package p04posixmq

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/process"
)

// run is a job that runs, in a process group of its own.
type run struct {
	job     Job
	process *process.Process
	killed  bool
}

// ending is how a job ended.
type ending struct {
	id     int64
	status process.Status
	err    error
}

// maxLog is the size from which on the log is set aside.
const maxLog = 1 << 20

// start runs a job. The rename decides whose it is: its submitter may be giving up.
func (d *Dispatcher) start(j Job) {
	err := os.Rename(d.state.of("jobs", j.ID), d.state.of("running", j.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return
	} else if err != nil {
		d.fail(err)
		return
	}
	d.log.printf("Dispatcher: Processing job %d (priority %d): %s", j.ID, j.Priority, show(j.Command))
	p, err := d.state.execute(j)
	if err != nil {
		d.done(j, fmt.Sprintf("could not be started: %v", err))
		return
	}
	d.running[j.ID] = &run{job: j, process: p}
	go func() {
		status, err := p.Wait()
		d.ended <- ending{j.ID, status, err}
	}()
}

// execute starts a job's processes, with an empty input and a file for their output.
func (s state) execute(j Job) (*process.Process, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	out, err := os.OpenFile(s.of("output", j.ID), os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() // not the lock, which the processes share
	if err := unix.Flock(int(out.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, &fs.PathError{Op: "flock", Path: out.Name(), Err: err}
	}
	return process.Start(&process.Cmd{
		Args:  []string{"/bin/sh", "-c", j.Command},
		Env:   append(withoutMark(os.Environ()), s.mark(j.ID)...),
		Files: []int{int(null.Fd()), int(out.Fd()), int(out.Fd())},
		Group: new(int), DefaultSignals: true,
	})
}

// The environment of a job's processes.
const (
	stateVariable = "JOB_STATE="
	idVariable    = "JOB_ID="
)

func (s state) mark(id int64) []string {
	return []string{stateVariable + s.dir, fmt.Sprintf("%s%d", idVariable, id)}
}

// withoutMark is the environment of a dispatcher that may be part of a job itself.
func withoutMark(env []string) (clean []string) {
	for _, v := range env {
		if !strings.HasPrefix(v, stateVariable) && !strings.HasPrefix(v, idVariable) {
			clean = append(clean, v)
		}
	}
	return clean
}

// kill kills a job's process group, which is gone once its leader has been waited for.
func (r *run) kill() {
	if r.process.Signal(0) == nil {
		r.killed = true
		_ = unix.Kill(-r.process.Pid(), unix.SIGKILL)
	}
}

// finish is for a job that has ended.
func (d *Dispatcher) finish(e ending) {
	r := d.running[e.id]
	delete(d.running, e.id)
	switch {
	case e.err != nil:
		d.fail(e.err)
	case r.killed && e.status.Signal() == unix.SIGKILL:
		// It stays in running/, where the next dispatcher finds it.
		d.log.printf("Dispatcher: Job %d was killed; the next dispatcher will queue it again", e.id)
	default:
		d.done(r.job, result(e.status))
	}
}

// result reads "exit status 0" or "killed by SIGTERM".
func result(s process.Status) string {
	if s.Exited() {
		return fmt.Sprintf("exit status %d", s.Code())
	}
	if name := unix.SignalName(s.Signal()); name != "" {
		return "killed by " + name
	}
	return fmt.Sprintf("killed by signal %d", s.Signal())
}

// done keeps the result of a job and reports it. Killed before the first, the
// dispatcher has lost it, and the job runs again; afterwards it never does.
func (d *Dispatcher) done(j Job, result string) {
	if err := d.state.record(j, result); err != nil {
		d.fail(err)
		return
	}
	d.report(j.ID, result)
}

// record appends a line to the log.
func (s state) record(j Job, result string) error {
	f, err := s.open("log", os.O_APPEND)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%d %d %s\n", j.ID, j.Priority, result)
	st, failed := f.Stat()
	if err = errors.Join(err, failed, f.Close()); err == nil && st.Size() > maxLog {
		err = os.Rename(f.Name(), s.path("log.1"))
	}
	return err
}

// report writes what a finished job has written, in one piece, and how it ended; and
// forgets the job.
func (d *Dispatcher) report(id int64, result string) {
	if err := d.copyOutput(id); err != nil && d.log.err == nil {
		d.log.err = err
	}
	d.log.printf("Dispatcher: Job %d finished: %s", id, result)
	for _, folder := range []string{"output", "running"} {
		if err := os.Remove(d.state.of(folder, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.fail(err)
		}
	}
}

func (d *Dispatcher) copyOutput(id int64) error {
	out, err := os.Open(d.state.of("output", id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it could not be started
	} else if err != nil {
		return err
	}
	defer out.Close()
	n, err := io.Copy(d.log.to, out)
	if n == 0 || err != nil {
		return err
	}
	var end [1]byte
	if _, err := out.ReadAt(end[:], n-1); err != nil || end[0] == '\n' {
		return err
	}
	_, err = io.WriteString(d.log.to, "\n")
	return err
}
