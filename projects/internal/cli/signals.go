package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Signalled is the cause of a context that a signal ended, see [UntilSignal].
type Signalled struct{ syscall.Signal }

func (s Signalled) Error() string { return s.String() }

// UntilSignal is a context that SIGINT and SIGTERM end, unless this process was told
// to ignore them, as a script's background commands are.
func UntilSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	caught := make(chan os.Signal, 1)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if !signal.Ignored(sig) {
			signal.Notify(caught, sig)
		}
	}
	go func() { cancel(Signalled{(<-caught).(syscall.Signal)}) }()
	return ctx
}

// die ends the process as the signal would have, so that a shell's loop stops too.
func (s Signalled) die() {
	signal.Reset(s.Signal)
	_ = syscall.Kill(os.Getpid(), s.Signal)
	for { // a signal of the runtime's own ends a pause too
		_ = syscall.Pause()
	}
}
