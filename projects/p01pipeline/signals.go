package p01pipeline

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Catch keeps SIGINT, SIGTERM, SIGHUP and SIGQUIT for the stages, except those that
// this process was told to ignore: once all stages are started they get what came,
// and what comes later. It is to be called before Start.
func (p *Pipeline) Catch() {
	var caught []os.Signal
	for _, sig := range []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
		if !signal.Ignored(sig) {
			caught = append(caught, sig)
		}
	}
	if len(caught) > 0 { // Notify takes an empty list for all signals
		p.caught = make(chan os.Signal, len(caught))
		signal.Notify(p.caught, caught...)
	}
}

// forward hands caught signals on for as long as this process lives. It is started
// after the stages, where its thread costs them no time.
func (p *Pipeline) forward() {
	for s := range p.caught {
		sig := s.(syscall.Signal)
		p.signal(sig, !fromTerminal(sig))
	}
}

// Interrupted is the first signal that was caught, 0 if none came.
func (p *Pipeline) Interrupted() syscall.Signal {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case s := <-p.caught:
		if p.interrupted == 0 {
			p.interrupted = s.(syscall.Signal)
		}
	default:
	}
	return p.interrupted
}

// signal notes a signal and sends it on to every stage that is still running.
func (p *Pipeline) signal(sig syscall.Signal, send bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.interrupted == 0 {
		p.interrupted = sig
	}
	if !send {
		return
	}
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
	if sig == unix.SIGQUIT {
		os.Exit(128 + int(sig)) // the Go runtime's own answer to it is a stack dump
	}
	signal.Reset(sig)
	_ = unix.Kill(unix.Getpid(), sig)
	select {} // the signal is on its way
}
