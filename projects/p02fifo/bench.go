package p02fifo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/projects/internal/measure"
)

// rows count the round trips of one client and of many with one server, all of them
// real processes; both ends are in the same language.
func rows(measure.Config) []measure.Row {
	var rows []measure.Row
	for _, clients := range []int{1, 50} {
		rows = append(rows, measure.Row{
			Group: "exercise 2", Name: fmt.Sprintf("calc_%d_clients", clients),
			What: fmt.Sprintf("calc_client --count in each of %d processes asks one calc_server: from the first request's "+
				"being read, when all have sent theirs, to the last client's end", clients),
			Check: "every answer is the right number",
			Unit:  "requests/s",
			Variants: []measure.Variant{
				{Name: "Go", Run: roundTrips("p02", clients)},
				{Name: "C", Run: roundTrips("p02/ref", clients)},
			},
		})
	}
	return rows
}

// leastTrips of each client make its end, which is measured too, count for little. A
// run that is asked for fewer does as many and reports its share of the time.
const leastTrips = 500

func roundTrips(folder string, clients int) func(context.Context, *measure.Config, int64) (measure.Sample, error) {
	return func(ctx context.Context, cfg *measure.Config, n int64) (s measure.Sample, err error) {
		dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-calc-", os.Getpid()))
		if err != nil {
			return s, err
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "calc_server")
		program := func(name string) string { return filepath.Join(cfg.Bin, folder, name) }
		server, err := measure.Start(ctx, cfg, 0, measure.Command{
			Args: []string{program("calc_server"), "--fifo", path, "--quiet"}})
		if err != nil {
			return s, err
		}
		err = until(ctx, func() bool {
			probe, err := fifo.OpenWriter(ctx, path, unix.O_NONBLOCK)
			if err != nil {
				return false
			}
			return probe.Close() == nil
		})
		if err == nil {
			least := int64(leastTrips)
			if cfg.Quick {
				least /= 10
			}
			total := max(n, least*int64(clients))
			s, err = crowd(ctx, cfg, server, program("calc_client"), path, clients, total)
			if err == nil && s.Verified == total {
				s.Elapsed, s.Verified = time.Duration(float64(s.Elapsed)*float64(n)/float64(total)), n
			}
		}
		stop := server.Signal(unix.SIGTERM)
		_, ended := server.Wait()
		return s, errors.Join(err, stop, ended)
	}
}

// crowd divides n round trips among the clients. The server stands still until all of
// them have sent their first request, so that their start is not measured.
func crowd(ctx context.Context, cfg *measure.Config, server *measure.Child, client, path string, clients int, n int64) (s measure.Sample, err error) {
	if err := server.Signal(unix.SIGSTOP); err != nil {
		return s, err
	}
	goOn := func() error { return server.Signal(unix.SIGCONT) }
	var started []*measure.Child
	for i := range int64(clients) {
		count := n / int64(clients)
		if i < n%int64(clients) {
			count++
		}
		if count == 0 {
			continue
		}
		c, err := measure.Start(ctx, cfg, int(i)+1, measure.Command{Args: []string{client, "--fifo", path,
			"--count", strconv.FormatInt(count, 10), fmt.Sprintf("%d * 1001", i)}})
		if err != nil {
			return s, errors.Join(err, goOn())
		}
		started = append(started, c)
	}
	err = until(ctx, func() bool {
		replies, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "calc_client_*"))
		return len(replies) == len(started)
	})
	start := time.Now()
	err = errors.Join(err, goOn())
	for i, c := range started {
		out, failed := c.Wait()
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		m := printed.FindStringSubmatch(out)
		if m == nil || m[1] != strconv.Itoa(i*1001) {
			err = errors.Join(err, fmt.Errorf("expected the answer %d, got %q", i*1001, out))
			continue
		}
		trips, _ := strconv.ParseInt(m[2], 10, 64)
		s.Verified += trips
	}
	s.Elapsed = time.Since(start)
	return s, err
}

// printed is what a client prints; it has compared its answers with the first.
var printed = regexp.MustCompile(`^Result: (\d+)\n(\d+) round trips in `)

// until waits for a condition.
func until(ctx context.Context, condition func() bool) error {
	for !condition() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}
