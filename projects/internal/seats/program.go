package seats

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"unpipc/projects/internal/cli"
)

// Program is a program that is one end of an object.
type Program struct {
	*cli.Program
	Name *string // of the object
	wait *time.Duration
	// signalled ends with the first signal, which exits says to end the process.
	signalled context.Context
	exits     bool
}

// NewProgram makes a program with the flags that both ends have; object is an example of
// a name.
func NewProgram(name, about, example, object string) *Program {
	p := cli.New(name, "", about, example)
	return &Program{
		Program: p,
		Name:    p.String("name", "", fmt.Sprintf("`name` of the shared memory object, such as %s", object)),
		wait:    p.Duration("wait", 10*time.Second, "how long to wait for the other end to come"),
	}
}

// Parse reads the command line. From then on signals are caught: there is no name yet
// that one could leave behind.
func (p *Program) Parse(args []string) {
	p.Program.Parse(args)
	if *p.Name == "" || p.NArg() > 0 {
		p.BadUsage("--name is needed, and no arguments")
	}
	p.signalled = cli.UntilSignal()
	debug.SetGCPercent(-1) // nothing here makes garbage that counts
}

// Patience is a context for waiting for the other end.
func (p *Program) Patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), *p.wait)
}

// ExitOnSignal lets SIGINT and SIGTERM end the process wherever it is, after clean, also
// if one has come already.
func (p *Program) ExitOnSignal(clean func()) {
	p.exits = true
	go func() {
		<-p.signalled.Done()
		clean()
		p.Program.Exit(context.Cause(p.signalled))
	}()
}

// Exit ends the process, unless a signal is about to: what goes wrong then is of its
// making.
func (p *Program) Exit(err error) {
	if p.exits && p.signalled.Err() != nil {
		select {}
	}
	p.Program.Exit(err)
}
