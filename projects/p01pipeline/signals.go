package p01pipeline

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/process"
)

// Catch keeps SIGINT, SIGTERM, SIGHUP and SIGQUIT for the stages, except those that
// this process was told to ignore: once all stages are started they get what came,
// and what comes later. It is to be called before Start, of one pipeline of a process.
func (p *Pipeline) Catch() error {
	p.catches = true
	return process.Catch(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
}

// forward hands caught signals on for as long as this process lives. It is started
// after the stages, where its thread costs them no time.
func (p *Pipeline) forward() {
	for {
		sig := process.NextCaught()
		if !fromTerminal(sig) {
			p.signal(sig)
		}
	}
}

// Interrupted is the first signal that was caught, 0 if none came.
func (p *Pipeline) Interrupted() syscall.Signal {
	if !p.catches {
		return 0
	}
	return process.FirstCaught()
}

// signal sends a signal on to every stage that is still running.
func (p *Pipeline) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range p.running {
		_ = p.Stages[i].process.Signal(sig) // it may just have ended
	}
}

// fromTerminal says that the terminal has sent the signal to the stages too: they
// are in the foreground process group, as this process is.
func fromTerminal(sig syscall.Signal) bool {
	if sig != unix.SIGINT && sig != unix.SIGQUIT {
		return false
	}
	tty, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(tty)
	foreground, err := unix.IoctlGetInt(tty, unix.TIOCGPGRP)
	return err == nil && foreground == unix.Getpgrp()
}

// Die ends this process by the signal, so that its parent sees what happened.
func Die(sig syscall.Signal) {
	if sig != unix.SIGQUIT { // a dump of this program's memory is of no use to anyone
		_ = process.Die(sig)
	}
	os.Exit(128 + int(sig))
}
