package integers

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"time"
	"unsafe"

	"unpipc/projects/internal/cli"
)

// Program is the command line that the sorting programs have in common.
type Program struct {
	*cli.Program
	output *string
	start  time.Time
}

// garbagePercent is how much garbage there may be for what is used: all that a program has
// is its numbers, which are no garbage before its end, so to look for some seldom pays.
const garbagePercent = 400

// NewProgram makes a program NAME [-o FILE] FILE….
func NewProgram(name, about string) *Program {
	debug.SetGCPercent(garbagePercent)
	p := &Program{Program: cli.New(name, "FILE…", about, fmt.Sprintf("  %s a.txt b.txt c.txt d.txt\n  %[1]s -o sorted.txt a.txt b.txt", name)), start: time.Now()}
	p.output = p.StringP("output", "o", "", "write all numbers, merged in their order, to this `file`; -: to standard output")
	return p
}

// Parse reads the arguments and gives the files.
func (p *Program) Parse(args []string) []string {
	p.Program.Parse(args)
	if p.NArg() == 0 {
		p.BadUsage("needs a file of numbers")
	}
	if p.Changed("output") && *p.output == "" {
		p.BadUsage("--output needs the name of a file")
	}
	return p.Args()
}

// Report is where to say what was done: the standard output, unless the numbers go there.
func (p *Program) Report() *os.File {
	if *p.output == "-" {
		return os.Stderr
	}
	return os.Stdout
}

// Finish merges what was sorted, says how long that took from the start of the program, and
// writes the output.
func (p *Program) Finish(lists [][]int32) error {
	merged := Merge(lists)
	if _, err := fmt.Fprintf(p.Report(), "presort time = %fs\n", time.Since(p.start).Seconds()); err != nil {
		return err
	}
	if *p.output == "" {
		return nil
	}
	return Write(*p.output, merged, cli.UntilSignal)
}

// Bytes are the bytes of numbers, as this machine has them.
func Bytes(numbers []int32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(numbers))), 4*len(numbers))
}

// SortFile sorts a file and says so to report: what a worker of this number does.
func SortFile(worker int, name string, report io.Writer) ([]int32, error) {
	numbers, err := Load(name)
	if err != nil {
		return nil, err
	}
	if len(numbers) > math.MaxInt32 {
		return nil, fmt.Errorf("%s: %d numbers are more than an int can count", name, len(numbers))
	}
	Sort(numbers)
	_, err = fmt.Fprintf(report, "Worker %d sorted %d numbers\n", worker, len(numbers))
	return numbers, err
}
