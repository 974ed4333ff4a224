package p15spsc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/measure"
)

// job is a queue and what goes through it.
type job struct {
	kind     Kind
	capacity int
	items    uint64 // that count: one queueful more goes through
	every    int    // ns, see produceTimed; 0: as fast as possible
}

// ends are the command lines that a producer and a consumer begin with.
type ends struct{ producer, consumer []string }

var names atomic.Int64

// objectName is a new name that tells whose it is.
func objectName() string { return fmt.Sprintf("/unpipc-%d-spsc-%d", os.Getpid(), names.Add(1)) }

// between runs the job between two processes, each on a CPU of its own.
func (j *job) between(ctx context.Context, cfg *measure.Config, e ends) (measure.Sample, error) {
	if len(cfg.Pin) == 0 {
		apart := *cfg
		apart.Pin = measure.TwoCPUs()
		cfg = &apart
	}
	name := objectName()
	defer func() { _ = posixshm.Unlink(name) }() // there is one only if both were killed
	printed, err := measure.Together(ctx, cfg,
		measure.Command{Name: "producer", Args: append(e.producer, "--json", "--name", name,
			"--kind", j.kind.String(), "--capacity", strconv.Itoa(j.capacity),
			"--count", strconv.FormatUint(j.items+uint64(j.capacity), 10), "--every", strconv.Itoa(j.every))},
		measure.Command{Name: "consumer", Args: append(e.consumer, "--json", "--name", name)})
	if err != nil {
		return measure.Sample{}, err
	}
	var outcomes [2]outcome
	for i := range outcomes {
		if err := json.Unmarshal([]byte(printed[i]), &outcomes[i]); err != nil {
			return measure.Sample{}, err
		}
	}
	s := measure.Sample{Elapsed: time.Duration(outcomes[1].NS), Verified: int64(outcomes[1].Count)}
	if j.every == 0 {
		return s, nil
	}
	s.Times = measure.NewTimes()
	for _, b := range outcomes[0].Histogram {
		if err := s.Times.RecordValues(b[0], b[1]); err != nil {
			return s, err
		}
	}
	return s, nil
}

// leftovers are objects of benchmarks that were killed with both of their processes.
func leftovers() ([]exercise.Leftover, error) {
	files, err := filepath.Glob("/dev/shm/unpipc-*-spsc-*")
	if err != nil {
		return nil, err
	}
	var left []exercise.Leftover
	for _, file := range files {
		var pid, n int
		_, err := fmt.Sscanf(filepath.Base(file), "unpipc-%d-spsc-%d", &pid, &n)
		if err != nil || pid <= 0 || !errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			continue
		}
		left = append(left, exercise.Leftover{Name: file, Why: fmt.Sprintf("process %d is gone", pid),
			Remove: func() error {
				if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				return nil
			}})
	}
	return left, nil
}
