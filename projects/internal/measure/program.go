package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Program is how the command line of a variant's process begins.
type Program func(cfg *Config) ([]string, error)

// Role is the running binary, started again with this first argument.
func Role(argument string) Program {
	return func(*Config) ([]string, error) { return []string{"/proc/self/exe", argument}, nil }
}

// Reference is a program in C of the folder bin/ref.
func Reference(name string) Program {
	return func(cfg *Config) ([]string, error) {
		file := filepath.Join(cfg.Bin, "ref", name)
		if _, err := os.Stat(file); err != nil {
			return nil, Skip("%w; make build builds it", err)
		}
		return []string{file}, nil
	}
}

// Outcome is what a program prints that measures by itself, as JSON.
type Outcome struct {
	Count int64  `json:"count"` // operations that were right
	NS    int64  `json:"ns"`    // they took
	Skip  string `json:"skip,omitempty"`
}

// Alone runs a program that measures by itself and prints its [Outcome]; name is in
// errors.
func Alone(ctx context.Context, cfg *Config, name string, p Program, flags ...string) (Sample, error) {
	args, err := p(cfg)
	if err != nil {
		return Sample{}, err
	}
	printed, err := Together(ctx, cfg, Command{Name: name, Args: slices.Concat(args, flags)})
	if err != nil {
		return Sample{}, err
	}
	var o Outcome
	if err := json.Unmarshal([]byte(printed[0]), &o); err != nil {
		return Sample{}, fmt.Errorf("%s: %w", name, err)
	}
	if o.Skip != "" {
		return Sample{}, Skip("%w", errors.New(o.Skip))
	}
	return Sample{Elapsed: time.Duration(o.NS), Verified: o.Count}, nil
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
