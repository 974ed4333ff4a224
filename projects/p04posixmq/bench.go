package p04posixmq

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"unpipc/gobind/fifo"
	"unpipc/gobind/posixmq"
	"unpipc/projects/internal/measure"
)

// rows measures the dispatchers under the same load, and what it costs to submit.
func rows(measure.Config) []measure.Row {
	return []measure.Row{{
		Group: "exercise 4", Name: "jobs",
		What: "from the first submission to the end of the last job: two submitters in this process, " +
			"one worker, each job a shell that does nothing; the files are in memory",
		Check:    "each job is reported with exit status 0",
		Unit:     "jobs/s",
		Variants: variants((*bench).throughput),
	}, {
		Group: "exercise 4", Name: "job_start",
		What: "from before the submission of a job, by this process, until its shell writes a byte; " +
			"the dispatcher is idle and gets to know by mq_notify",
		Check:    "the byte; each job is reported with exit status 0",
		Unit:     measure.Nanoseconds,
		Variants: variants((*bench).start),
	}, {
		Group: "exercise 4", Name: "submit_job",
		What:     "from starting submit_job to its end; a C dispatcher takes the jobs",
		Check:    "what it prints; each job is reported with exit status 0",
		Unit:     measure.Nanoseconds,
		Variants: append(variants((*bench).submit), helpOnly),
	}}
}

// helpOnly is what submit_job's begin and end take, with next to nothing between.
var helpOnly = measure.Variant{Name: "Go, --help",
	Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
		program := filepath.Join(cfg.Bin, "p04/submit_job")
		return repeatedly(ctx, n, []string{program, "--help"}, func(_ int64, out string) bool {
			return strings.HasPrefix(out, "usage: submit_job")
		})
	}}

// bench is one run.
type bench struct {
	place Place
	dir   string
	bin   string // of the programs to measure
	cfg   *measure.Config
}

// benchFolder is in memory, where there is such a folder.
func benchFolder() string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return os.TempDir()
}

func variants(run func(b *bench, ctx context.Context, n int64) (measure.Sample, error)) []measure.Variant {
	variant := func(name, folder string) measure.Variant {
		return measure.Variant{Name: name, Run: func(ctx context.Context, cfg *measure.Config, n int64) (s measure.Sample, err error) {
			dir, err := os.MkdirTemp(benchFolder(), fmt.Sprintf("unpipc-%d-jobs-", os.Getpid()))
			if err != nil {
				return s, err
			}
			defer os.RemoveAll(dir)
			b := &bench{dir: dir, bin: filepath.Join(cfg.Bin, folder), cfg: cfg, place: Place{
				Queue: "/" + filepath.Base(dir),
				State: filepath.Join(dir, "state"),
			}}
			defer posixmq.Unlink(b.place.Queue) // there only after a failure
			return run(b, ctx, n)
		}}
	}
	return []measure.Variant{variant("Go", "p04"), variant("C", "p04/ref")}
}

// dispatching runs work beside a dispatcher, which then runs what is queued and ends,
// and checks that it has run n jobs.
func (b *bench) dispatching(ctx context.Context, bin string, n int64, work func() error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d, err := measure.Start(ctx, b.cfg, 0, measure.Command{
		Args: []string{filepath.Join(bin, "job_dispatcher"), "--queue", b.place.Queue, "--state", b.place.State},
	})
	if err != nil {
		return err
	}
	for ctx.Err() == nil && !strings.Contains(d.Output(), "\n") {
		time.Sleep(time.Millisecond)
	}
	err = work()
	if err == nil {
		err = d.Signal(drainSignal)
	}
	if err != nil {
		cancel(err)
	}
	out, failed := d.Wait()
	if failed != nil {
		return failed
	}
	if done := strings.Count(out, " finished: exit status 0\n"); int64(done) != n {
		return fmt.Errorf("%d of %d jobs were run", done, n)
	}
	return nil
}

func (b *bench) throughput(ctx context.Context, n int64) (measure.Sample, error) {
	var begin time.Time
	err := b.dispatching(ctx, b.bin, n, func() error {
		begin = time.Now()
		var next atomic.Int64
		var both sync.WaitGroup
		failed := make([]error, 2)
		for i := range failed {
			both.Go(func() {
				for failed[i] == nil && next.Add(1) <= n {
					_, failed[i] = Submit(ctx, b.place, 0, ":", Patience{})
				}
			})
		}
		both.Wait()
		return errors.Join(failed...)
	})
	return measure.Sample{Elapsed: time.Since(begin), Verified: n}, err
}

func (b *bench) start(ctx context.Context, n int64) (measure.Sample, error) {
	path := filepath.Join(b.dir, "started")
	if err := fifo.Make(path, 0o600); err != nil {
		return measure.Sample{}, err
	}
	// A writer of its own: it never reads end of file.
	r, err := fifo.OpenReadWriter(path, 0)
	if err != nil {
		return measure.Sample{}, err
	}
	defer r.Close()
	times := measure.NewTimes()
	var elapsed time.Duration
	err = b.dispatching(ctx, b.bin, n, func() error {
		for range n {
			before := time.Now()
			if _, err := Submit(ctx, b.place, 0, "echo >"+path, Patience{}); err != nil {
				return err
			}
			if _, err := r.ReadContext(ctx, make([]byte, 1)); err != nil {
				return err
			}
			took := time.Since(before)
			elapsed += took
			if err := times.RecordValue(took.Nanoseconds()); err != nil {
				return err
			}
			if err := b.settled(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return measure.Sample{Elapsed: elapsed, Verified: n, Times: times}, err
}

// settled waits until the job that has started is done: the dispatcher is idle.
func (b *bench) settled(ctx context.Context) error {
	for {
		running, err := os.ReadDir(filepath.Join(b.place.State, "running"))
		if err != nil || len(running) == 0 {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		time.Sleep(100 * time.Microsecond)
	}
}

func (b *bench) submit(ctx context.Context, n int64) (s measure.Sample, err error) {
	argv := []string{filepath.Join(b.bin, "submit_job"), "--queue", b.place.Queue, "--state", b.place.State, "--cmd", ":"}
	failed := b.dispatching(ctx, filepath.Join(b.cfg.Bin, "p04/ref"), n, func() error {
		s, err = repeatedly(ctx, n, argv, func(i int64, out string) bool {
			return out == fmt.Sprintf("Job %d queued (priority 0)\n", i+1)
		})
		return err
	})
	return s, failed
}

// repeatedly runs a program n times, one after the other, from before its start to its
// end, and checks what each prints.
func repeatedly(ctx context.Context, n int64, argv []string, right func(i int64, out string) bool) (measure.Sample, error) {
	times := measure.NewTimes()
	var elapsed time.Duration
	for i := range n {
		before := time.Now()
		out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output()
		took := time.Since(before)
		if err == nil && !right(i, string(out)) {
			err = fmt.Errorf("%s printed %q", argv[0], out)
		}
		if err == nil {
			err = times.RecordValue(took.Nanoseconds())
		}
		if err != nil {
			return measure.Sample{}, err
		}
		elapsed += took
	}
	return measure.Sample{Elapsed: elapsed, Verified: n, Times: times}, nil
}
