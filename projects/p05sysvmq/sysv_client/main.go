// Command sysv_client asks sysv_server through its System V queue.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "unpipc/gobind/process/shortlived"
	"unpipc/projects/internal/cli"
	"unpipc/projects/p05sysvmq"
)

func main() {
	p := cli.New("sysv_client", "TEXT",
		"Asks sysv_server to process a text; \"-\" is what standard input has.",
		"  sysv_client HELLO\n  sysv_client --key 0x12345678 - </etc/hostname")
	key := p05sysvmq.AddKeyFlags(p)
	timeout := p.Float64("timeout", p05sysvmq.DefaultTimeout.Seconds(), "how many `seconds` to wait for an answer")
	count := p.Int("count", 0, "ask this `number` of times, one after the other, and tell how fast")
	p.Parse(os.Args[1:])
	explain, _ := p.GetBool("explain-key")
	switch {
	case p.NArg() != 1 && !explain:
		p.BadUsage("wants one text, got %d", p.NArg())
	case !(*timeout > 0 && *timeout <= math.MaxInt32):
		p.BadUsage("--timeout must be more than 0")
	case *count < 1 && p.Changed("count"):
		p.BadUsage("--count must be at least 1")
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	err := ask(key, p.Arg(0), time.Duration(*timeout*float64(time.Second)), *count)
	if answer := p05sysvmq.ServerError(""); errors.As(err, &answer) {
		fmt.Fprintln(os.Stderr, answer)
		os.Exit(cli.Failed)
	}
	p.Exit(err)
}

func ask(flags *p05sysvmq.KeyFlags, argument string, timeout time.Duration, count int) error {
	key, err := flags.Key()
	if err != nil {
		return err
	}
	text := []byte(argument)
	if argument == "-" {
		if text, err = io.ReadAll(os.Stdin); err != nil {
			return err
		}
	}
	c, err := p05sysvmq.Dial(context.Background(), key)
	if err != nil {
		return err
	}
	defer c.Close()
	c.Timeout = timeout
	if err := say("Sending to server (msgtyp=%d)\n", p05sysvmq.RequestType); err != nil {
		return err
	}
	start := time.Now()
	if err := c.Send(text); err != nil {
		return err
	}
	if err := say("Waiting for response (msgtyp=%d)\n", c.ResponseType()); err != nil {
		return err
	}
	answer, err := c.Receive()
	if err != nil {
		return err
	}
	if err := say("Response: %s\n", answer); err != nil || count == 0 {
		return err
	}
	answer = bytes.Clone(answer)
	for range count - 1 {
		if err := again(c, text, answer); err != nil {
			return err
		}
	}
	elapsed := time.Since(start).Seconds()
	return say("%d round trips in %.3f s, %.0f per second\n", count, elapsed, float64(count)/elapsed)
}

// again asks once more for what was answered before.
func again(c *p05sysvmq.Client, text, answer []byte) error {
	if err := c.Send(text); err != nil {
		return err
	}
	got, err := c.Receive()
	if err == nil && !bytes.Equal(got, answer) {
		err = fmt.Errorf("the same text was answered first by %q, then by %q", answer, got)
	}
	return err
}

func say(format string, args ...any) error {
	_, err := fmt.Fprintf(os.Stdout, format, args...)
	return err
}
