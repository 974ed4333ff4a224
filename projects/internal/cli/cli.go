// Package cli gives every program the same manners: --help with an example,
// errors that begin with the program's name, and three exit statuses.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
)

// The exit statuses of every program.
const (
	OK     = 0
	Failed = 1
	Usage  = 2
)

// Program is a command line being read.
type Program struct {
	*pflag.FlagSet
	Name     string // as in usage and errors
	Synopsis string // the arguments: `"cmd1" "cmd2" …`
	About    string // what it does, a few lines
	Example  string // command lines, one a line
}

// New makes a program with no flags yet but --help.
func New(name, synopsis, about, example string) *Program {
	p := &Program{pflag.NewFlagSet(name, pflag.ContinueOnError), name, synopsis, about, example}
	p.SetOutput(io.Discard) // errors are ours to print
	p.SortFlags = false
	p.BoolP("help", "h", false, "show this help")
	return p
}

// Parse reads the arguments after the program's name. It ends the process with
// status 0 for --help and with 2 for flags that do not exist or do not fit.
func (p *Program) Parse(args []string) {
	if err := p.FlagSet.Parse(args); errors.Is(err, pflag.ErrHelp) {
		p.help()
	} else if err != nil {
		p.BadUsage("%v", err)
	}
	if help, _ := p.GetBool("help"); help {
		p.help()
	}
}

// ParseFlags is Parse for a program that takes no arguments.
func (p *Program) ParseFlags(args []string) {
	p.Parse(args)
	if p.NArg() > 0 {
		p.BadUsage("takes no arguments")
	}
}

func (p *Program) help() {
	fmt.Printf("usage: %s [flags] %s\n\n%s\n\nflags:\n%s\nexample:\n%s\n",
		p.Name, p.Synopsis, p.About, p.FlagUsages(), p.Example)
	os.Exit(OK)
}

// BadUsage says what is wrong with the command line and ends the process with 2.
func (p *Program) BadUsage(format string, args ...any) {
	p.Complain(format, args...)
	fmt.Fprintf(os.Stderr, "Try '%s --help'.\n", p.Name)
	os.Exit(Usage)
}

// Complain prints a message the way every program does.
func (p *Program) Complain(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", p.Name, fmt.Sprintf(format, args...))
}

// Exit ends the process: with 0 for nil; by the signal that ended [UntilSignal]'s
// context, if that is the error; else with 1 after printing the error.
func (p *Program) Exit(err error) {
	var signalled Signalled
	if errors.As(err, &signalled) {
		signalled.die()
	}
	if err != nil {
		p.Complain("%v", err)
		os.Exit(Failed)
	}
	os.Exit(OK)
}
