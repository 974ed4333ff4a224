package rpccost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/measure"
)

// DefaultSizes are the message sizes in bytes that are measured without others being
// asked for.
var DefaultSizes = []int{1, 64, 1 << 10, 4 << 10, 16 << 10, 64 << 10}

// maxDatagram is the longest value that fits a call over UDP.
const maxDatagram = 8 << 10

const (
	throughput = "one process puts messages, a call each, made when the one before is answered: from the first " +
		"call to the last answer; the processes stay on two CPUs"
	roundTrip = "one process puts a message by a call and has the answer: each call by itself; the processes stay on two CPUs"
	checked   = "sequence number at both ends of every message and in every answer; all bytes of the warm-up messages " +
		"and of the last one; the count"
)

// Rows are the rows of all networks at the sizes of cfg.
func Rows(cfg measure.Config) []measure.Row {
	sizes := cfg.Sizes
	if len(sizes) == 0 {
		sizes = DefaultSizes
	}
	var rows []measure.Row
	for _, kind := range []struct {
		prefix, what string
		unit         measure.Unit
	}{{"bw_rpc_", throughput, measure.Messages}, {"lat_rpc_", roundTrip, measure.Nanoseconds}} {
		for _, network := range Networks {
			for _, size := range sizes {
				j := job{network, size, kind.unit == measure.Nanoseconds}
				rows = append(rows, measure.Row{
					Group: "transfer", Name: kind.prefix + network, What: kind.what, Check: checked, Size: size, Unit: kind.unit,
					Variants: []measure.Variant{j.variant("Go", inGo), j.variant("C", inC)},
				})
			}
		}
	}
	return rows
}

// What client and server are written in.
var inGo, inC = measure.Role(roleArgument), measure.Reference("rpccost")

// job is what a client and its server do.
type job struct {
	network string
	size    int
	timed   bool // each call
}

func (j job) variant(name string, p measure.Program) measure.Variant {
	return measure.Variant{Name: name, Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
		return j.run(ctx, cfg, p, p, n)
	}}
}

// warmup is the number of messages compared byte for byte.
func (j *job) warmup() int { return min(max(1<<18/j.size, 2), 64) }

// run has a client make n calls to a server.
func (j *job) run(ctx context.Context, cfg *measure.Config, server, client measure.Program, n int64) (s measure.Sample, err error) {
	if j.size > maxValue {
		return s, measure.Skip("kv.x bounds a value at %d bytes", maxValue)
	}
	if j.network == "udp" && j.size > maxDatagram {
		return s, measure.Skip("a call over UDP holds a value of %d bytes at most", maxDatagram)
	}
	if len(cfg.Pin) == 0 { // as package transfer does
		apart := *cfg
		apart.Pin = measure.TwoCPUs()
		cfg = &apart
	}
	addr := "127.0.0.1:0"
	if j.network == "unix" {
		dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-rpccost-", os.Getpid()))
		if err != nil {
			return s, err
		}
		defer os.RemoveAll(dir)
		addr = filepath.Join(dir, "socket")
	}
	flags := []string{"--network", j.network, "--size", strconv.Itoa(j.size), "--warmup", strconv.Itoa(j.warmup())}
	args, err := server(cfg)
	if err != nil {
		return s, err
	}
	serving, err := measure.Start(ctx, cfg, 0, measure.Command{Name: "serve",
		Args: slices.Concat(args, flags, []string{"--role", "serve", "--addr", addr})})
	if err != nil {
		return s, err
	}
	defer func() {
		_ = serving.Signal(unix.SIGTERM)
		_, ended := serving.Wait()
		err = errors.Join(err, ended)
	}()
	for !strings.HasSuffix(serving.Output(), "\n") {
		if ctx.Err() != nil {
			return s, context.Cause(ctx)
		}
		if ended(serving.Pid()) {
			return s, errors.New("the server has ended")
		}
		time.Sleep(100 * time.Microsecond)
	}
	if args, err = client(cfg); err != nil {
		return s, err
	}
	asking, err := measure.Start(ctx, cfg, 1, measure.Command{Name: "ask", Args: slices.Concat(args, flags, []string{
		"--role", "ask", "--addr", strings.TrimSpace(serving.Output()), "--count", strconv.FormatInt(n, 10)})})
	if err != nil {
		return s, err
	}
	printed, err := asking.Wait()
	if err != nil {
		return s, err
	}
	return j.sample(printed)
}

// ended says that a child is there no more, but for its status.
func ended(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo != 0
}

func (j *job) sample(printed string) (s measure.Sample, err error) {
	var o outcome
	if err := json.Unmarshal([]byte(printed), &o); err != nil {
		return s, fmt.Errorf("ask: %w", err)
	}
	s = measure.Sample{Elapsed: time.Duration(o.NS), Verified: o.Count}
	if j.timed {
		s.Times, err = measure.TimesOf(o.Histogram)
	}
	return s, err
}
