package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Program is how the command line of a variant's process begins.
type Program func(cfg *Config) ([]string, error)

// Role is the running binary, started again with this first argument: see [TakeRole].
func Role(argument string) Program {
	return func(*Config) ([]string, error) { return []string{"/proc/self/exe", argument}, nil }
}

// TakeRole is to be called first in main. Where this process was started with that first
// argument, play gets the others and is to end it; else nothing happens.
func TakeRole(argument string, play func(args []string)) {
	if len(os.Args) > 1 && os.Args[1] == argument {
		play(os.Args[2:])
	}
}

// Built is the program at this path of the folder bin, with these first arguments.
func Built(path string, args ...string) Program {
	return func(cfg *Config) ([]string, error) {
		file := filepath.Join(cfg.Bin, path)
		if _, err := os.Stat(file); err != nil {
			return nil, Skip("%w; make build builds it", err)
		}
		return slices.Concat([]string{file}, args), nil
	}
}

// Reference is a program in C of the folder bin/ref.
func Reference(name string) Program { return Built(filepath.Join("ref", name)) }

// Outcome is what a program prints that measures by itself, as JSON: see [Print], and
// ref/outcome.h in C.
type Outcome struct {
	Count     int64      `json:"count"`               // operations that were right
	NS        int64      `json:"ns,omitempty"`        // they took, where the clock is
	Histogram [][2]int64 `json:"histogram,omitempty"` // [Pairs] of the times of each
	Skip      string     `json:"skip,omitempty"`
}

// Print writes what a run has found to standard output, as JSON, or is the error that the
// run ended with.
func Print(outcome any, err error) error {
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(outcome)
}

// Sample is what the outcome says; timed: with the time of each operation.
func (o *Outcome) Sample(timed bool) (s Sample, err error) {
	if o.Skip != "" {
		return s, Skip("%w", errors.New(o.Skip))
	}
	s = Sample{Elapsed: time.Duration(o.NS), Verified: o.Count}
	if timed {
		s.Times, err = TimesOf(o.Histogram)
	}
	return s, err
}

// Alone is the [Variant.Run] of a program that measures by itself: it is told the --count
// and prints its [Outcome]. name is in errors.
func Alone(name string, p Program, flags ...string) func(context.Context, *Config, int64) (Sample, error) {
	return func(ctx context.Context, cfg *Config, n int64) (Sample, error) {
		args, err := p(cfg)
		if err != nil {
			return Sample{}, err
		}
		args = slices.Concat(args, flags, []string{"--count", strconv.FormatInt(n, 10)})
		printed, err := Together(ctx, cfg, Command{Name: name, Args: args})
		if err != nil {
			return Sample{}, err
		}
		var o Outcome
		if err := json.Unmarshal([]byte(printed[0]), &o); err != nil {
			return Sample{}, fmt.Errorf("%s: %w", name, err)
		}
		return o.Sample(false)
	}
}

// Timed runs a program that does count operations, measures them by itself, and prints
// "<nanoseconds> ns for <count>".
func Timed(ctx context.Context, cfg *Config, count int64, args ...string) (Sample, error) {
	printed, err := Together(ctx, cfg, Command{Args: args})
	if err != nil {
		return Sample{}, err
	}
	var ns, done int64
	if _, err := fmt.Sscanf(printed[0], "%d ns for %d", &ns, &done); err != nil || done != count {
		return Sample{}, fmt.Errorf("%s: it printed %q", filepath.Base(args[0]), printed[0])
	}
	return Sample{Elapsed: time.Duration(ns), Verified: done}, nil
}
