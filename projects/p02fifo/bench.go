package p02fifo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/measure"
)

// rows count the round trips of one client and of many with one server, all of them
// real processes; both ends are in the same language.
func rows(measure.Config) []measure.Row {
	var rows []measure.Row
	for _, clients := range []int{1, 50} {
		rows = append(rows, measure.Row{
			Group: "exercise 2", Name: fmt.Sprintf("calc_%d_clients", clients),
			What: fmt.Sprintf("calc_client --count in each of %d processes asks one calc_server at the same time: "+
				"from a client's first request to its last answer", clients),
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

// took reads what the client prints. Of the time and the rate only the rate is fine
// enough for a single round trip.
var took = regexp.MustCompile(`^Result: (\d+)\n(\d+) round trips in \d+\.\d+ s, (\d+) per second\n$`)

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
		s, err = ask(ctx, cfg, program("calc_client"), path, clients, n)
		stop := server.Signal(unix.SIGTERM)
		_, ended := server.Wait()
		return s, errors.Join(err, stop, ended)
	}
}

// ask divides n round trips among the clients.
func ask(ctx context.Context, cfg *measure.Config, client, path string, clients int, n int64) (s measure.Sample, err error) {
	// The server has the FIFO when a client gets through.
	for {
		_, err := measure.Together(ctx, cfg, measure.Command{Args: []string{client, "--fifo", path, "1 + 1"}})
		if err == nil {
			break
		}
		if ctx.Err() != nil || !strings.Contains(err.Error(), ErrNoServer.Error()) {
			return s, err
		}
		time.Sleep(time.Millisecond)
	}
	var cmds []measure.Command
	var answers []string
	for i := range int64(clients) {
		count := n/int64(clients) + max(0, min(1, n%int64(clients)-i))
		if count == 0 {
			continue
		}
		answers = append(answers, strconv.FormatInt(i*1001, 10))
		cmds = append(cmds, measure.Command{Args: []string{client, "--fifo", path,
			"--count", strconv.FormatInt(count, 10), fmt.Sprintf("%d * 1001", i)}})
	}
	outputs, err := measure.Together(ctx, cfg, cmds...)
	if err != nil {
		return s, err
	}
	var elapsed []float64
	for i, out := range outputs {
		m := took.FindStringSubmatch(out)
		if m == nil || m[1] != answers[i] {
			return s, fmt.Errorf("expected the answer %s, got %q", answers[i], out)
		}
		trips, _ := strconv.ParseInt(m[2], 10, 64)
		rate, _ := strconv.ParseFloat(m[3], 64)
		s.Verified += trips
		elapsed = append(elapsed, float64(trips)/rate)
	}
	s.Elapsed = time.Duration(slices.Max(elapsed) * float64(time.Second))
	return s, nil
}
