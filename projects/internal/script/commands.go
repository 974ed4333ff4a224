package script

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"unpipc/projects/internal/alive"
	"unpipc/projects/internal/ports"
)

// patience bounds how long a script waits for a condition.
const patience = 20 * time.Second

type command = func(ts *testscript.TestScript, neg bool, args []string)

// commands are what our scripts know beside testscript's own commands.
var commands = map[string]command{
	// until CMD…   runs CMD again and again until it succeeds ("! until": until it fails)
	"until": func(ts *testscript.TestScript, neg bool, args []string) {
		if len(args) == 0 {
			ts.Fatalf("usage: until command…")
		}
		poll(ts, func() bool { return (ts.Exec(args[0], args[1:]...) == nil) != neg },
			"%q kept %s", args, map[bool]string{false: "failing", true: "succeeding"}[neg])
	},
	// waitfor FILE…   waits until each file is there ("! waitfor": until none is)
	"waitfor": func(ts *testscript.TestScript, neg bool, args []string) {
		for _, file := range args {
			poll(ts, func() bool {
				_, err := os.Lstat(ts.MkAbs(file))
				return (err == nil) != neg
			}, "%s: still %s", file, map[bool]string{false: "missing", true: "there"}[neg])
		}
	},
	// ports NAME…   gives each variable the number of a TCP port that is the script's own
	"ports": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) == 0 {
			ts.Fatalf("usage: ports name…")
		}
		for _, name := range args {
			number, release := ports.Reserve()
			ts.Defer(release)
			port := strconv.Itoa(number)
			ts.Setenv(name, port)
			ts.Logf("%s=%s", name, port)
		}
	},
	// signal SIG PROGRAM [ARG]   sends a signal (TERM, HUP, STOP, …) to the background
	// commands that run PROGRAM, with ARG among its arguments; testscript's kill knows INT
	// and KILL only. After STOP it waits until they have stopped
	"signal": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 2 || len(args) > 3 || unix.SignalNum("SIG"+args[0]) == 0 {
			ts.Fatalf("usage: signal SIG program [argument]")
		}
		sent := false
		for _, cmd := range ts.BackgroundCmds() {
			if filepath.Base(cmd.Path) == args[1] && (len(args) == 2 || slices.Contains(cmd.Args, args[2])) {
				ts.Check(cmd.Process.Signal(unix.SignalNum("SIG" + args[0])))
				sent = true
				if args[0] == "STOP" {
					poll(ts, func() bool { return alive.Stopped(cmd.Process.Pid) }, "%s has not stopped", args[1])
				}
			}
		}
		if !sent {
			ts.Fatalf("no background command runs %s", strings.Join(args[1:], " "))
		}
	},
}

func poll(ts *testscript.TestScript, done func() bool, format string, args ...any) {
	pause := 5 * time.Millisecond
	for deadline := time.Now().Add(patience); !done(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			ts.Fatalf(format, args...)
		}
		// What takes long is mostly what never comes: it needs no CPU for that.
		pause = min(pause*9/8, 100*time.Millisecond)
	}
}
