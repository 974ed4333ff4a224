// Command calc_client asks calc_server for the result of an expression.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p02fifo"
)

func main() {
	p := cli.New("calc_client", "EXPRESSION",
		"Asks calc_server for the result of an expression: integers and decimals, + - * / %,\n"+
			"parentheses. A result that is an error goes to standard error, with exit status 1.",
		"  calc_client \"5 + 3\"\n  calc_client \"-7 / (2.5 - 1)\"")
	path := p.String("fifo", p02fifo.DefaultPath, "the server's FIFO")
	timeout := p.Float64("timeout", p02fifo.DefaultTimeout.Seconds(), "how many `seconds` to wait for an answer")
	count := p.Int("count", 0, "ask this `number` of times, one after the other, and tell how fast")
	p.Parse(negative(os.Args[1:]))
	switch {
	case p.NArg() != 1:
		p.BadUsage("wants one expression, got %d", p.NArg())
	case !(*timeout > 0 && *timeout <= math.MaxInt32):
		p.BadUsage("--timeout must be more than 0")
	case *count < 1 && p.Changed("count"):
		p.BadUsage("--count must be at least 1")
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	err := ask(cli.UntilSignal(), *path, p.Arg(0), time.Duration(*timeout*float64(time.Second)), *count)
	var calc p02fifo.CalcError
	if errors.As(err, &calc) {
		fmt.Fprintln(os.Stderr, calc)
		os.Exit(cli.Failed)
	}
	p.Exit(err)
}

// ask prints the answer; with a count, also how long that many took.
func ask(ctx context.Context, path, expression string, timeout time.Duration, count int) error {
	c, err := p02fifo.Dial(ctx, path)
	if err != nil {
		return err
	}
	c.Timeout = timeout
	start := time.Now()
	answer, err := c.Calculate(expression)
	for n := 1; err == nil && n < count; n++ {
		var again string
		if again, err = c.Calculate(expression); err == nil && again != answer {
			err = fmt.Errorf("the answer was %s and is %s", answer, again)
		}
	}
	elapsed := time.Since(start).Seconds()
	if err := errors.Join(err, c.Close()); err != nil {
		return err
	}
	text := fmt.Sprintf("Result: %s\n", answer)
	if count > 0 {
		text += fmt.Sprintf("%d round trips in %.3f s, %.0f per second\n", count, elapsed, float64(count)/elapsed)
	}
	_, err = os.Stdout.WriteString(text)
	return err
}

// negative lets the last argument be an expression like "-3 + 5" without a "--"
// before it: no flag goes on like a number.
func negative(args []string) []string {
	if last := len(args) - 1; last >= 0 && !slices.Contains(args, "--") {
		if a := args[last]; len(a) > 1 && a[0] == '-' && strings.IndexByte("0123456789.( ", a[1]) >= 0 {
			return slices.Insert(slices.Clone(args), last, "--")
		}
	}
	return args
}
