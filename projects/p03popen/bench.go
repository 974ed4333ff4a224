package p03popen

import (
	"errors"
	"fmt"
	"io"
	"time"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
)

// roleArgument as first argument makes test_mypopen measure instead.
const roleArgument = "popen-bench"

// Role is to be called first in main: it returns at once, unless this process was
// started to measure popen for the benchmark; then it does and exits.
func Role() { measure.TakeRole(roleArgument, benchMain) }

func benchMain(args []string) {
	p := cli.New(roleArgument, "", "Runs a command by popen again and again; the time goes to standard output as JSON.",
		"  test_mypopen popen-bench --impl mine --count 1000")
	name := p.String("impl", "mine", "mine or libc")
	count := p.Int64("count", 1000, "commands")
	p.Parse(args)
	impl, known := map[string]Implementation{"mine": Mine, "libc": Libc}[*name]
	if !known || *count < 1 || p.NArg() > 0 {
		p.BadUsage("--impl is mine or libc, --count is at least 1")
	}
	p.Exit(measure.Print(runCommands(impl, *count)))
}

func runCommands(impl Implementation, count int64) (o measure.Outcome, err error) {
	start := time.Now()
	for range count {
		if err := runCommand(impl); err != nil {
			return o, err
		}
	}
	return measure.Outcome{Count: count, NS: time.Since(start).Nanoseconds()}, nil
}

// The command that is run, and what it says and ends with: ref/popen_bench.c has the same.
const (
	benchCommand = "echo seven; exit 7"
	benchLine    = "seven\n"
	benchStatus  = 7
)

// runCommand reads what the command prints, to its end.
func runCommand(impl Implementation) error {
	s, err := impl.open(benchCommand, "r")
	if err != nil {
		return err
	}
	var printed []byte
	room := make([]byte, 64)
	for err == nil {
		var n int
		n, err = s.Read(room)
		printed = append(printed, room[:n]...)
	}
	if err == io.EOF {
		err = nil
	}
	status, closeErr := s.Close()
	if err = errors.Join(err, closeErr); err != nil {
		return err
	}
	if !status.Exited() || status.Code() != benchStatus || string(printed) != benchLine {
		return fmt.Errorf("it printed %q, status %v", printed, status)
	}
	return nil
}

// rows compare ours with glibc's, each from Go and from C.
func rows(measure.Config) []measure.Row {
	variant := func(name, impl string, p measure.Program) measure.Variant {
		return measure.Variant{Name: name, Run: measure.Alone("popen", p, "--impl", impl)}
	}
	inGo, inC := measure.Built("p03/test_mypopen", roleArgument), measure.Built("p03/ref/popen_bench")
	return []measure.Row{{
		Group: "exercise 3", Name: "lat_popen", Unit: measure.Nanoseconds,
		What:  "popen of a shell that prints a line, reading it to the end, and pclose; mean of all",
		Check: "the line and the exit status of each",
		Variants: []measure.Variant{
			variant("Go", "mine", inGo), variant("C", "mine", inC),
			variant("glibc's popen", "libc", inC), variant("glibc's popen from Go", "libc", inGo),
		},
	}}
}
