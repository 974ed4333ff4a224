package p08rwlock

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"unpipc/projects/internal/measure"
)

const (
	benchThreads = 4
	fairGoal     = 0.67 // of Go's fair lock to C's, as for every twin
	checked      = "under the lock the words that it guards are equal; at the end they are the number of writes"
)

// rows compares the lock with a word for each reader, and the fair one made of a mutex and
// condition variables, with libc's and with Go's own.
func rows(measure.Config) []measure.Row {
	var rows []measure.Row
	for _, mix := range []struct {
		reads int
		goal  float64 // for the futex to pthread_rwlock
	}{{100, 1}, {90, 2}, {50, 1.5}} {
		name := fmt.Sprintf("%d_%d", mix.reads, 100-mix.reads)
		what := fmt.Sprintf("%d threads take the lock, read or write two words, and give it back; %d of 100 operations read; "+
			"they stay on a CPU each, in turn where there are fewer (sync.RWMutex: goroutines)",
			benchThreads, mix.reads)
		rows = append(rows, measure.Row{
			Group: "exercise 8", Name: "rwlock_futex_" + name, What: what, Check: checked, Unit: "ops/s", Detail: mix.reads != 90,
			Variants: []measure.Variant{
				inGo("Go futex", "futex", mix.reads, 0),
				inC("C futex", "futex", mix.reads, 0),
				inC("pthread_rwlock", "pthread", mix.reads, mix.goal),
				inGo("sync.RWMutex", "sync", mix.reads, 0),
			},
		}, measure.Row{
			Group: "exercise 8", Name: "rwlock_mutex_cond_" + name, What: what, Check: checked, Unit: "ops/s", Detail: mix.reads != 90,
			Variants: []measure.Variant{
				inGo("Go fair", "fair", mix.reads, 0),
				inC("C fair", "fair", mix.reads, fairGoal),
				inC("pthread_rwlock", "pthread", mix.reads, 0),
				inGo("sync.RWMutex", "sync", mix.reads, 0),
			},
		})
	}
	return rows
}

func inGo(name, lock string, reads int, goal float64) measure.Variant {
	return variant(name, lock, reads, goal, "test_myrwlock", roleArgument)
}

func inC(name, lock string, reads int, goal float64) measure.Variant {
	return variant(name, lock, reads, goal, "ref/rwlock_bench")
}

// variant measures a lock in a process of the program, below the exercise's folder.
func variant(name, lock string, reads int, goal float64, program ...string) measure.Variant {
	return measure.Variant{Name: name, Goal: goal,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			file := filepath.Join(cfg.Bin, "p08", program[0])
			if _, err := os.Stat(file); err != nil {
				return measure.Sample{}, measure.Skip("%w; make build builds it", err)
			}
			printed, err := measure.Together(ctx, cfg, measure.Command{
				Name: "rwlock-bench",
				Args: append(append([]string{file}, program[1:]...), "--lock", lock, "--reads", strconv.Itoa(reads),
					"--threads", strconv.Itoa(benchThreads), "--count", strconv.FormatInt(n, 10)),
			})
			if err != nil {
				return measure.Sample{}, err
			}
			var o outcome
			if err := json.Unmarshal([]byte(printed[0]), &o); err != nil {
				return measure.Sample{}, fmt.Errorf("rwlock-bench: %w", err)
			}
			return measure.Sample{Elapsed: time.Duration(o.NS), Verified: o.Count}, nil
		}}
}
