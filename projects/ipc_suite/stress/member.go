package stress

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/process"
)

// member is a worker as the process sees it that has started it.
type member struct {
	index, generation int
	process           *process.Process
	status            process.Status // when it has ended
	said              *os.File       // its standard error, in memory
}

// start starts a worker, whose end will come through r.ends.
func (r *round) start(index, generation int) (*member, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	fd, err := unix.MemfdCreate("stderr", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	m := &member{index: index, generation: generation, said: os.NewFile(uintptr(fd), "stderr")}
	args := []string{
		"ipc_suite", roleArgument, "--scenario", r.sc.Name, "--worker", strconv.Itoa(index),
		"--generation", strconv.Itoa(generation), "--seed", strconv.FormatUint(r.seed, 10),
		"--ops", strconv.FormatUint(r.ops, 10), "--parent", strconv.Itoa(os.Getpid()),
	}
	if r.sabotage {
		args = append(args, "--sabotage")
	}
	m.process, err = process.Start(&process.Cmd{
		Args: append(append(args, "--"), r.args...), Path: "/proc/self/exe", DefaultSignals: true, Group: new(int), // a terminal's SIGINT is for the suite alone
		Files: append([]int{int(null.Fd()), fd, fd, r.memory.Fd(), r.out.Fd()}, r.files...),
	})
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	r.alive++
	go func() {
		var err error
		if m.status, err = m.process.Wait(); err != nil {
			panic(err) // it is our child
		}
		r.ends <- m
	}()
	return m, nil
}

func (m *member) kill() { _ = m.process.Signal(unix.SIGKILL) }

func (m *member) close() error {
	if m.said == nil {
		return nil
	}
	f := m.said
	m.said = nil
	return f.Close()
}

// failure is what a worker that has failed said.
func (m *member) failure() error {
	b := make([]byte, 4096)
	n, _ := m.said.ReadAt(b, 0)
	said := strings.TrimSpace(string(b[:n]))
	if invariant, detail, found := strings.Cut(said, ": "); found && m.status.Code() == violated {
		return &Violation{invariant, detail}
	}
	return fmt.Errorf("worker %d, %v: %s", m.index, m.status, strings.TrimPrefix(said, "stress: "))
}
