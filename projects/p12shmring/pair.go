package p12shmring

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/seats"
)

// job is what goes from one process to another.
type job struct {
	size, capacity, batch int
	count                 int64 // messages that count, after the warm-up
	inPlace, echo         bool
	oneCPU                bool // both processes on the first CPU
}

// ends are the command lines that the two begin with.
type ends struct{ producer, consumer []string }

// objectKind is in the names of the benchmark's objects: those of a killed one are found
// by it.
const objectKind = "ring"

// warmup is about a ringful.
func (j *job) warmup() int64 { return max(1, int64(j.capacity/(j.size+recordHeader))) }

func (j *job) run(ctx context.Context, cfg *measure.Config, e ends) (measure.Sample, error) {
	if len(cfg.Pin) == 0 {
		apart := *cfg
		apart.Pin = measure.TwoCPUs()
		if j.oneCPU && apart.Pin != nil {
			apart.Pin = apart.Pin[:1]
		}
		cfg = &apart
	}
	name := seats.NewName(objectKind)
	defer func() { // there is something only if both were killed
		_ = posixshm.Unlink(name)
		_ = posixshm.Unlink(name + "-back")
	}()
	warmup := j.warmup()
	if j.echo {
		warmup = 0
	}
	both := []string{"--json", "--name", name}
	if j.inPlace {
		both = append(both, "--in-place")
	}
	if j.echo {
		both = append(both, "--echo")
	}
	producer := append(append(append([]string(nil), e.producer...), both...),
		"--size", strconv.Itoa(j.size), "--buffer-size", strconv.Itoa(j.capacity),
		"--batch", strconv.Itoa(j.batch), "--count", strconv.FormatInt(j.count+warmup, 10))
	consumer := append(append(append([]string(nil), e.consumer...), both...), "--warmup", strconv.FormatInt(warmup, 10))
	printed, err := measure.Together(ctx, cfg, measure.Command{Name: "producer", Args: producer},
		measure.Command{Name: "consumer", Args: consumer})
	if err != nil {
		return measure.Sample{}, err
	}
	var sent, received outcome
	if err := errors.Join(json.Unmarshal([]byte(printed[0]), &sent), json.Unmarshal([]byte(printed[1]), &received)); err != nil {
		return measure.Sample{}, err
	}
	s := measure.Sample{Elapsed: time.Duration(received.NS), Verified: received.Count}
	if !j.echo {
		return s, nil
	}
	for _, b := range sent.Histogram {
		s.Elapsed += time.Duration(b[0] * b[1])
	}
	s.Times, err = measure.TimesOf(sent.Histogram)
	return s, err
}

// leftovers are objects of benchmarks that were killed with both of their processes.
func leftovers() ([]exercise.Leftover, error) { return seats.Leftovers(objectKind) }
