package p11barrier

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"unpipc/projects/internal/measure"
)

// rows are rounds of the barrier, in Go and in C, and of libc's own barrier.
func rows(measure.Config) []measure.Row {
	var rows []measure.Row
	for _, processes := range []int{2, 8} {
		rows = append(rows, measure.Row{
			Group: "exercise 11", Name: fmt.Sprintf("barrier_%d", processes),
			What: fmt.Sprintf("from the end of the first round to the end of the last one, in one of %d processes "+
				"that do nothing else", processes),
			Check: "each process finds after each round that all others have reached it",
			Unit:  "rounds/s",
			Variants: []measure.Variant{
				variant("Go", "p11", "sysv", processes),
				variant("C", "p11/ref", "sysv", processes),
				variant("pthread_barrier, C", "p11/ref", "pthread", processes),
				variant("pthread_barrier, Go", "p11", "pthread", processes),
			},
		})
	}
	return rows
}

func variant(name, folder, kind string, processes int) measure.Variant {
	return measure.Variant{Name: name,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			out, err := measure.Together(ctx, cfg, measure.Command{Args: []string{
				filepath.Join(cfg.Bin, folder, "barrier_test"), "--quiet", "--time", "--barrier", kind,
				"--processes", strconv.Itoa(processes), "--iterations", strconv.FormatInt(n+1, 10),
			}})
			if err != nil {
				return measure.Sample{}, err
			}
			return sample(out[0])
		}}
}

// sample reads what --time has printed, if all were found right.
func sample(printed string) (s measure.Sample, err error) {
	var seconds float64
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	if len(lines) < 2 || !strings.HasSuffix(lines[len(lines)-1], " PASS") {
		return s, fmt.Errorf("barrier_test printed %q", printed)
	}
	if _, err := fmt.Sscanf(lines[len(lines)-2], "%d rounds in %f s", &s.Verified, &seconds); err != nil {
		return s, fmt.Errorf("barrier_test printed %q: %w", printed, err)
	}
	s.Elapsed = time.Duration(seconds * float64(time.Second))
	return s, nil
}
