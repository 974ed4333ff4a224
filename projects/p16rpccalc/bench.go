package p16rpccalc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/ports"
)

// rows compare calls with those of the C pair and of gRPC.
func rows(measure.Config) []measure.Row {
	const check = "every client compares every sum"
	row := func(name, what string, unit measure.Unit, variants ...measure.Variant) measure.Row {
		return measure.Row{Group: "exercise 16", Name: name, What: what, Check: check, Unit: unit, Variants: variants}
	}
	latency := "one client calls ADD in version 2 again and again over %s; mean of all calls"
	return []measure.Row{
		row("rpc_calls_16", "16 clients with a connection each call ADD in version 2 over TCP on loopback", "calls/s",
			pair("Go", "p16", "tcp", 16, elapsed), pair("C", "p16/ref", "tcp", 16, elapsed), peer(16, elapsed)),
		row("lat_rpc_tcp", fmt.Sprintf(latency, "TCP on loopback"), measure.Nanoseconds,
			pair("Go", "p16", "tcp", 1, elapsed), pair("C", "p16/ref", "tcp", 1, elapsed), peer(1, elapsed)),
		row("lat_rpc_udp", fmt.Sprintf(latency, "UDP on loopback"), measure.Nanoseconds,
			pair("Go", "p16", "udp", 1, elapsed), pair("C", "p16/ref", "udp", 1, elapsed)),
		row("lat_rpc_unix", fmt.Sprintf(latency, "a Unix socket"), measure.Nanoseconds,
			pair("Go", "p16", "unix", 1, elapsed), pair("C", "p16/ref", "unix", 1, elapsed)),
		row("cpu_rpc_call", "CPU time of client and server together, a call; one client, TCP on loopback", measure.Nanoseconds,
			pair("Go", "p16", "tcp", 1, cpu), goal(pair("C", "p16/ref", "tcp", 1, cpu), 1.3), goal(peer(1, cpu), 0.15)),
	}
}

func goal(v measure.Variant, most float64) measure.Variant {
	v.Goal = most
	return v
}

// quantity is what of the figures of client and server a row is about.
type quantity func(client Figures, server time.Duration) time.Duration

func elapsed(client Figures, _ time.Duration) time.Duration  { return client.Elapsed }
func cpu(client Figures, server time.Duration) time.Duration { return client.CPU + server }

func pair(name, folder, network string, clients int, q quantity) measure.Variant {
	return measure.Variant{Name: name, Run: Pair{folder, network, clients, nil}.run(q)}
}

// Pair is calc_server and calc_client from a folder of measure.Config.Bin.
type Pair struct {
	Folder  string
	Network string
	Clients int
	// Prepare makes what they need in a folder of theirs, and gives them more flags; nil:
	// they need nothing.
	Prepare func(dir string) (server, client []string, err error)
}

// Elapsed is a variant that measures how long calls of ADD take.
func (p Pair) Elapsed(name string) measure.Variant {
	return measure.Variant{Name: name, Run: p.run(elapsed)}
}

func (p Pair) run(q quantity) func(context.Context, *measure.Config, int64) (measure.Sample, error) {
	return func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
		dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-rpc-", os.Getpid()))
		if err != nil {
			return measure.Sample{}, err
		}
		defer os.RemoveAll(dir)
		bin := filepath.Join(cfg.Bin, p.Folder)
		server, client := []string{filepath.Join(bin, "calc_server"), "--bind", "127.0.0.1"}, []string{filepath.Join(bin, "calc_client")}
		port, release := ports.Reserve()
		defer release()
		flags := []string{"--transport", p.Network, "--port", strconv.Itoa(port)}
		if p.Network == "unix" {
			flags = []string{"--transport", p.Network, "--path", filepath.Join(dir, "calc.sock")}
		}
		if p.Prepare != nil {
			moreServer, moreClient, err := p.Prepare(dir)
			if err != nil {
				return measure.Sample{}, err
			}
			server, client = append(server, moreServer...), append(client, moreClient...)
		}
		if p.Clients > 1 {
			client = append(client, "--clients", strconv.Itoa(p.Clients))
		}
		client = append(append(client, "--count", strconv.FormatInt(n, 10)), flags...)
		return run(ctx, cfg, q, append(server, flags...), append(client, "127.0.0.1", "add", "5", "3"))
	}
}

// peer is gRPC.
func peer(clients int, q quantity) measure.Variant {
	return measure.Variant{Name: "grpc-go", Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
		program, err := measure.Built("p16/grpc_calc")(cfg)
		if err != nil {
			return measure.Sample{}, err
		}
		port, release := ports.Reserve()
		defer release()
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		return run(ctx, cfg, q, slices.Concat(program, []string{"serve", addr}),
			slices.Concat(program, []string{"ask", addr, strconv.FormatInt(n, 10), strconv.Itoa(clients)}))
	}}
}

// run runs a client while its server runs.
func run(ctx context.Context, cfg *measure.Config, q quantity, server, client []string) (s measure.Sample, err error) {
	serving, err := measure.Start(ctx, cfg, 0, measure.Command{Args: server})
	if err != nil {
		return s, err
	}
	if err := serving.Await(func(output string) bool { return strings.Contains(output, "Serving") }); err != nil {
		return s, errors.Join(err, serving.Stop())
	}
	figures, used, err := ask(ctx, cfg, serving.Pid(), client)
	stopped := serving.Stop()
	if err == nil && filepath.Base(server[0]) == "calc_server" {
		err = stopped // gRPC's ends by the signal
	}
	return measure.Sample{Elapsed: q(figures, used), Verified: figures.Calls}, err
}

// ask runs a client, and is what it printed and what CPU the server used for it.
func ask(ctx context.Context, cfg *measure.Config, server int, client []string) (f Figures, used time.Duration, err error) {
	before := cpuOf(server)
	asking, err := measure.Start(ctx, cfg, 1, measure.Command{Args: client})
	if err != nil {
		return f, 0, err
	}
	out, err := asking.Wait()
	if err != nil {
		return f, 0, err
	}
	used = cpuOf(server) - before
	f, err = parseFigures(out)
	return f, used, err
}

// parseFigures reads the last line of a client.
func parseFigures(out string) (Figures, error) {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var calls, ns int64
	var seconds, rate float64
	_, err := fmt.Sscanf(lines[len(lines)-1], "%d calls in %f s: %f per second, %d ns of CPU each", &calls, &seconds, &rate, &ns)
	if err != nil {
		return Figures{}, fmt.Errorf("the client printed %q", out)
	}
	return Figures{calls, time.Duration(seconds * float64(time.Second)), time.Duration(calls * ns)}, nil
}

// cpuOf is what a process has used, in all of its threads: clock_getcpuclockid(3).
func cpuOf(pid int) time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(int32(^pid)<<3|2, &t)
	return time.Duration(t.Nano())
}
