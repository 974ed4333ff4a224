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
	sizes := cfg.SizesOr(DefaultSizes)
	sweep := func(prefix, what string, unit measure.Unit) []measure.Row {
		row := measure.Row{Group: "transfer", Name: prefix, What: what, Check: checked, Unit: unit}
		return measure.Sweep(row, Networks, sizes, func(network string, size int) []measure.Variant {
			j := job{network, size, unit == measure.Nanoseconds}
			return []measure.Variant{measure.Both("Go", inGo, 0, j.run), measure.Both("C", inC, 0, j.run)}
		})
	}
	return append(sweep("bw_rpc_", throughput, measure.Messages), sweep("lat_rpc_", roundTrip, measure.Nanoseconds)...)
}

// What client and server are written in.
var inGo, inC = measure.Role(roleArgument), measure.Reference("rpccost")

// job is what a client and its server do.
type job struct {
	network string
	size    int
	timed   bool // each call
}

// run has a client make n calls to a server.
func (j *job) run(ctx context.Context, cfg *measure.Config, server, client measure.Program, n int64) (s measure.Sample, err error) {
	if j.size > maxValue {
		return s, measure.Skip("kv.x bounds a value at %d bytes", maxValue)
	}
	if j.network == "udp" && j.size > maxDatagram {
		return s, measure.Skip("a call over UDP holds a value of %d bytes at most", maxDatagram)
	}
	cfg = cfg.Apart()
	addr := "127.0.0.1:0"
	if j.network == "unix" {
		dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-rpccost-", os.Getpid()))
		if err != nil {
			return s, err
		}
		defer os.RemoveAll(dir)
		addr = filepath.Join(dir, "socket")
	}
	flags := []string{"--network", j.network, "--size", strconv.Itoa(j.size), "--warmup", strconv.Itoa(measure.Warmup(j.size)),
		"--parent", strconv.Itoa(os.Getpid())}
	args, err := server(cfg)
	if err != nil {
		return s, err
	}
	serving, err := measure.Start(ctx, cfg, 0, measure.Command{Name: "serve",
		Args: slices.Concat(args, flags, []string{"--role", "serve", "--addr", addr})})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, serving.Stop()) }()
	if err := serving.Await(func(output string) bool { return strings.HasSuffix(output, "\n") }); err != nil {
		return s, err
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
	var o measure.Outcome
	if err := json.Unmarshal([]byte(printed), &o); err != nil {
		return s, fmt.Errorf("ask: %w", err)
	}
	return o.Sample(j.timed)
}
