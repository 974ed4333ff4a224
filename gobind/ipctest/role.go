package ipctest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// roleFlag is the first argument of a test binary that plays a role.
const roleFlag = "-ipctest.role"

// lifetime bounds a role's process.
const lifetime = 2 * time.Minute

var roles = map[string]func(args []string) int{}

// Role registers what this test binary does when it is started by [Command] or
// with [RoleArgs]: a process of its own, run by [Main] instead of the tests. What
// run returns is the exit status. To be called while package variables are
// initialised.
//
//	var _ = ipctest.Role("echo", func(args []string) int { fmt.Println(args[0]); return 0 })
func Role(name string, run func(args []string) int) struct{} {
	if roles[name] != nil {
		panic("ipctest: two roles named " + name)
	}
	roles[name] = run
	return struct{}{}
}

// RoleArgs is the argument vector that starts this test binary in a role.
func RoleArgs(name string, args ...string) []string {
	exe, err := os.Executable()
	if err != nil {
		panic(err) // only without /proc
	}
	return append([]string{exe, roleFlag, name}, args...)
}

// Command is this test binary in a role, killed at the end of the test, of this
// process or of its two minutes.
func Command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	t.Cleanup(cancel)
	argv := RoleArgs(name, args...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// playRole plays the role this process was started for.
func playRole() (code int, done bool) {
	if len(os.Args) < 3 || os.Args[1] != roleFlag {
		return 0, false
	}
	run := roles[os.Args[2]]
	if run == nil {
		fmt.Fprintf(os.Stderr, "ipctest: no role %q\n", os.Args[2])
		return 2, true
	}
	return run(os.Args[3:]), true
}
