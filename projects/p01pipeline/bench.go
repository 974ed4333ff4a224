package p01pipeline

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"unpipc/projects/internal/measure"
)

// block is what the throughput rows count in: bytes.
const block = 1 << 20

// rows compares mypipe with the shells and with its C reference: the same
// programs, started by each of them.
func rows(measure.Config) []measure.Row {
	var rows []measure.Row
	for _, stages := range []int{1, 3, 10} {
		rows = append(rows, measure.Row{
			Group: "exercise 1", Name: fmt.Sprintf("bw_pipeline_%d", stages),
			What:  fmt.Sprintf("zeros from head -c through %d × cat to wc -c, start and end of all programs included", stages),
			Check: "wc counts every byte",
			Size:  block, Unit: measure.Bytes, Detail: stages == 3,
			Variants: variants(func(n int64) (stage []string, want string) {
				bytes := strconv.FormatInt(n*block, 10)
				cats := slices.Repeat([]string{"cat"}, stages)
				return slices.Concat([]string{"head -c " + bytes + " /dev/zero"}, cats, []string{"wc -c"}), bytes
			}, pipelineOnce, 1),
		})
	}
	for _, stages := range []int{1, 3, 10} {
		// How much of the time is the program's own begin and end, with nothing between.
		nothing := func(cfg *measure.Config, _ []string) []string {
			return []string{filepath.Join(cfg.Bin, "p01/mypipe"), "--help"}
		}
		pipeline := func(int64) ([]string, string) { return slices.Repeat([]string{"/bin/true"}, stages), "" }
		rows = append(rows, measure.Row{
			Group: "exercise 1", Name: fmt.Sprintf("start_pipeline_%d", stages),
			What:  fmt.Sprintf("from starting the shell or mypipe to the end of %d × /bin/true", stages),
			Check: "exit status 0",
			Unit:  measure.Nanoseconds, Detail: stages == 3,
			Variants: append(variants(pipeline, pipelineRepeatedly, 1),
				variant("Go, --help", 0, pipeline, pipelineRepeatedly, nothing)),
		})
	}
	return rows
}

type describe func(n int64) (stages []string, want string)

type execute func(ctx context.Context, cfg *measure.Config, argv []string, n int64, want string) (measure.Sample, error)

// variants are the ways to run one pipeline; goal is for the ratio to bash.
func variants(pipeline describe, run execute, goal float64) []measure.Variant {
	shell := func(name string) func(*measure.Config, []string) []string {
		return func(_ *measure.Config, stages []string) []string {
			return []string{name, "-c", strings.Join(stages, "|")}
		}
	}
	mypipe := func(folder string) func(*measure.Config, []string) []string {
		return func(cfg *measure.Config, stages []string) []string {
			return append([]string{filepath.Join(cfg.Bin, folder, "mypipe")}, stages...)
		}
	}
	return []measure.Variant{
		variant("Go", 0, pipeline, run, mypipe("p01")),
		variant("bash", goal, pipeline, run, shell("bash")),
		variant("dash", 0, pipeline, run, shell("dash")),
		variant("C", 0, pipeline, run, mypipe("p01/ref")),
	}
}

// variant is one way to run it, if this machine has the program.
func variant(name string, goal float64, pipeline describe, run execute,
	argv func(cfg *measure.Config, stages []string) []string) measure.Variant {
	return measure.Variant{Name: name, Goal: goal,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			stages, want := pipeline(n)
			args := argv(cfg, stages)
			if _, err := exec.LookPath(args[0]); err != nil {
				return measure.Sample{}, measure.Skip("%w", err)
			}
			return run(ctx, cfg, args, n, want)
		}}
}

// pipelineOnce moves n blocks through one pipeline.
func pipelineOnce(ctx context.Context, cfg *measure.Config, argv []string, n int64, want string) (measure.Sample, error) {
	start := time.Now()
	out, err := measure.Together(ctx, cfg, measure.Command{Args: argv})
	if err != nil {
		return measure.Sample{}, err
	}
	if got := strings.TrimSpace(out[0]); got != want {
		return measure.Sample{}, fmt.Errorf("%s of %s bytes arrived", got, want)
	}
	return measure.Sample{Elapsed: time.Since(start), Verified: n}, nil
}

// pipelineRepeatedly runs n pipelines one after the other.
func pipelineRepeatedly(ctx context.Context, cfg *measure.Config, argv []string, n int64, _ string) (measure.Sample, error) {
	times := measure.NewTimes()
	begin := time.Now()
	for range n {
		start := time.Now()
		if _, err := measure.Together(ctx, cfg, measure.Command{Args: argv}); err != nil {
			return measure.Sample{}, err
		}
		if err := times.RecordValue(time.Since(start).Nanoseconds()); err != nil {
			return measure.Sample{}, err
		}
	}
	return measure.Sample{Elapsed: time.Since(begin), Verified: n, Times: times}, nil
}
