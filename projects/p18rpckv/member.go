package p18rpckv

import (
	"context"
	"os/exec"
	"path/filepath"
	"runtime"

	"unpipc/projects/internal/measure"
)

// StartMember starts a server of a cluster, which outlives ctx, but not this process, not
// even when that is killed. ended gets what the child's Wait returns, and is the only one to call
// it. Without setpriv(1) the error is a [measure.Skip].
func StartMember(ctx context.Context, cfg *measure.Config, place int, cmd measure.Command) (child *measure.Child, ended <-chan error, err error) {
	if cmd.Name == "" {
		cmd.Name = filepath.Base(cmd.Args[0])
	}
	program, err := exec.LookPath(cmd.Args[0])
	if err != nil {
		return nil, nil, err
	}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		return nil, nil, measure.Skip("setpriv is not installed")
	}
	cmd.Args = append([]string{setpriv, "--pdeathsig", "KILL", program}, cmd.Args[1:]...)
	started, end := make(chan error), make(chan error, 1)
	go func() {
		// The member's life hangs on the thread that has started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var err error
		child, err = measure.Start(context.WithoutCancel(ctx), cfg, place, cmd)
		started <- err
		if err == nil {
			_, err = child.Wait()
			end <- err
		}
	}()
	if err := <-started; err != nil {
		return nil, nil, err
	}
	return child, end, nil
}
