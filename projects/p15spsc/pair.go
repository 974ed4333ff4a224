package p15spsc

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/seats"
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

// objectKind is in the names of the benchmark's objects: those of a killed one are found
// by it.
const objectKind = "spsc"

// between runs the job between two processes, each on a CPU of its own.
func (j *job) between(ctx context.Context, cfg *measure.Config, e ends) (measure.Sample, error) {
	if len(cfg.Pin) == 0 {
		apart := *cfg
		apart.Pin = measure.TwoCPUs()
		cfg = &apart
	}
	name := seats.NewName(objectKind)
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
	s.Times, err = measure.TimesOf(outcomes[0].Histogram)
	return s, err
}

// leftovers are objects of benchmarks that were killed with both of their processes.
func leftovers() ([]exercise.Leftover, error) { return seats.Leftovers(objectKind) }
