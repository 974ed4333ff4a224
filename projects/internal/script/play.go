// Package script runs the black-box scripts of an exercise (testscript's txtar
// files) for three readers: the tests, the demonstration, and whoever checks
// programs of their own. A script names programs only; which ones run is decided
// by the folder of programs that is put before $PATH.
package script

import (
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// limit bounds one script; its children are killed then.
const limit = 2 * time.Minute

// grace is what background commands get to end after the step that failed.
const grace = 2 * time.Second

// Play runs one script over the programs in folder bin and tells what happened.
// It goes on after a failed step. The error is of running it at all. Processes and
// objects that the programs leave are removed.
func Play(scripts fs.FS, name, bin string) (*Transcript, error) {
	return play(scripts, name, bin, true)
}

// PlayToFailure is Play that ends at the first step that fails.
func PlayToFailure(scripts fs.FS, name, bin string) (*Transcript, error) {
	return play(scripts, name, bin, false)
}

func play(scripts fs.FS, name, bin string, goOn bool) (*Transcript, error) {
	text, err := fs.ReadFile(scripts, name)
	if err != nil {
		return nil, err
	}
	bin, err = filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-script-", os.Getpid()))
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, filepath.Base(name))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	p := params(bin)
	p.Files = []string{file}
	p.Deadline = time.Now().Add(limit)
	p.ContinueOnError = goOn
	p.WorkdirRoot = dir
	var left leftovers
	defer left.end()
	setup := p.Setup
	p.Setup = func(env *testscript.Env) error {
		err := setup(env)
		left.unique, left.key = env.Getenv("UNIQUE"), env.Getenv("SYSV_KEY")
		// A background command that ignores SIGINT would be waited for, and so would
		// a grandchild that has a command's standard output.
		left.killAfter(limit)
		env.Defer(func() { left.killAfter(grace) })
		return err
	}
	var play player
	play.try(func() { testscript.RunT(&play, p) })
	if play.log == "" {
		return nil, fmt.Errorf("%s: the script did not run", name)
	}
	return parse(play.log), nil
}

// params are the settings that tests and plays share.
func params(bin string) testscript.Params {
	// What the shell that started us left open is not the programs' to inherit.
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	return testscript.Params{
		Cmds: commands,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("LC_ALL", "C")
			// For names of objects that are in no folder: message queues, shared memory.
			env.Setenv("UNIQUE", fmt.Sprintf("%d-%d", os.Getpid(), scriptCount.Add(1)))
			// A directory of one's own does not help with System V objects.
			env.Setenv("SYSV_KEY", fmt.Sprintf("0x%08x", 1+rand.Int32N(math.MaxInt32)))
			return nil
		},
	}
}

// scriptCount makes what scripts are given as UNIQUE differ.
var scriptCount atomic.Int64

// player is a testscript.T outside of "go test".
type player struct{ log string }

type stopped struct{}

// try runs f until it ends or calls FailNow.
func (p *player) try(f func()) {
	defer func() {
		if e := recover(); e != nil && e != any(stopped{}) {
			panic(e)
		}
	}()
	f()
}

func (p *player) Skip(args ...any)                        { p.Log(args...); p.FailNow() }
func (p *player) Fatal(args ...any)                       { p.Log(args...); p.FailNow() }
func (p *player) Log(args ...any)                         { p.log += fmt.Sprintln(args...) }
func (p *player) FailNow()                                { panic(stopped{}) }
func (p *player) Parallel()                               {}
func (p *player) Verbose() bool                           { return true }
func (p *player) Run(name string, f func(t testscript.T)) { p.try(func() { f(p) }) }
