package p03popen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
)

// roleArgument as first argument makes test_mypopen measure instead.
const roleArgument = "popen-bench"

// Role is to be called first in main: it returns at once, unless this process was
// started to measure popen for the benchmark; then it does and exits.
func Role() {
	if len(os.Args) > 1 && os.Args[1] == roleArgument {
		benchMain(os.Args[2:])
	}
}

func benchMain(args []string) {
	p := cli.New(roleArgument, "", "Runs a command by popen again and again; the time goes to standard output.",
		"  test_mypopen popen-bench --impl mine --count 1000")
	name := p.String("impl", "mine", "mine or libc")
	count := p.Int("count", 1000, "commands")
	p.Parse(args)
	impl, known := map[string]Implementation{"mine": Mine, "libc": Libc}[*name]
	if !known || *count < 1 || p.NArg() > 0 {
		p.BadUsage("--impl is mine or libc, --count is at least 1")
	}
	start := time.Now()
	for range *count {
		if err := runCommand(impl); err != nil {
			p.Exit(err)
		}
	}
	fmt.Printf("%d ns for %d\n", time.Since(start).Nanoseconds(), *count)
	p.Exit(nil)
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
	variant := func(name, impl string, program ...string) measure.Variant {
		return measure.Variant{Name: name, Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			file := filepath.Join(cfg.Bin, "p03", program[0])
			if _, err := os.Stat(file); err != nil {
				return measure.Sample{}, measure.Skip("%w; make build builds it", err)
			}
			args := append([]string{file}, program[1:]...)
			return measure.Timed(ctx, cfg, n, append(args, "--impl", impl, "--count", strconv.FormatInt(n, 10))...)
		}}
	}
	return []measure.Row{{
		Group: "exercise 3", Name: "lat_popen", Unit: measure.Nanoseconds,
		What:  "popen of a shell that prints a line, reading it to the end, and pclose; mean of all",
		Check: "the line and the exit status of each",
		Variants: []measure.Variant{
			variant("Go", "mine", "test_mypopen", roleArgument), variant("C", "mine", "ref/popen_bench"),
			variant("glibc's popen", "libc", "ref/popen_bench"), variant("glibc's popen from Go", "libc", "test_mypopen", roleArgument),
		},
	}}
}
