package integers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"unpipc/projects/internal/measure"
)

// benchFiles is how many files the benchmark sorts.
const benchFiles = 4

// benchNumbers is how many numbers are in each, unless it is to be quick. The tests take
// fewer.
var benchNumbers = 500_000

const (
	quickPart = 20 // a part of them is sorted when it is to be quick
	largeTime = 6  // many times as many where processes are to show what they bring
)

// workload is the files and what is to come out.
type workload [benchFiles + 1][]byte

// Each is drawn once.
var (
	benchTexts = sync.OnceValue(func() workload { return draw(benchNumbers) })
	quickTexts = sync.OnceValue(func() workload { return draw(benchNumbers / quickPart) })
	largeTexts = sync.OnceValue(func() workload { return draw(benchNumbers * largeTime) })
)

func draw(each int) (texts workload) {
	random := rand.New(rand.NewPCG(1, 2))
	var all []int32
	text := func(numbers []int32) (t []byte) {
		for _, n := range numbers {
			t = append(strconv.AppendInt(t, int64(n), 10), '\n')
		}
		return t
	}
	for i := range benchFiles {
		var numbers []int32
		for range each {
			numbers = append(numbers, int32(random.Uint32()))
		}
		texts[i], all = text(numbers), append(all, numbers...)
	}
	slices.Sort(all)
	texts[benchFiles] = text(all)
	return texts
}

// Rows are those of one of the sorting programs, held against the lecture's three in C and
// GNU sort.
func Rows(program string) []measure.Row {
	what := fmt.Sprintf("%d files of %d numbers of 32 bits (quick: %d), merged into one: ",
		benchFiles, benchNumbers, benchNumbers/quickPart)
	const check = "every byte of the output"
	const beside = 400 * time.Millisecond // the files are written for each run
	variants := func(timed timing) []measure.Variant {
		all := []measure.Variant{
			variant("Go", 0, timed, "", program), variant("C simple_sort", 7, timed, "ref", "simple_sort"),
			variant("C parallel_sort", 1, timed, "ref", "parallel_sort"), variant("C mem_sort", 1, timed, "ref", "mem_sort"),
		}
		if program != "simple_sort" { // what the processes bring
			all = append(all, variant("Go simple_sort", 0, timed, "", "simple_sort"))
		}
		return all
	}
	rows := []measure.Row{{
		Group: "lecture", Name: program, Unit: "sorts/s", Beside: beside,
		What:  what + "from starting the program to its end, with the output written",
		Check: check, Variants: append(variants(wholeRun), variant("sort -n", 1, wholeRun, "", "sort")),
	}, {
		Group: "lecture", Name: program + "_presort", Unit: "sorts/s", Detail: true, Beside: beside,
		What: what + "what the program itself tells, until the final array; in Go it is merged then, " +
			"in C, as in the lecture, it is not",
		Check: check, Variants: variants(toldTime),
	}}
	if program == "simple_sort" {
		return rows
	}
	return append(rows, measure.Row{
		Group: "lecture", Name: program + "_large", Unit: "sorts/s", Detail: true, Beside: largeTime * beside,
		What: fmt.Sprintf("%d files of %d numbers of 32 bits: what processes bring, by what the programs themselves tell, "+
			"until the final array, merged", benchFiles, benchNumbers*largeTime),
		Check: check, Variants: []measure.Variant{
			variant("Go", 0, toldTime, "", program, largeTexts), variant("Go simple_sort", 0, toldTime, "", "simple_sort", largeTexts),
		},
	})
}

// timing is the time of one run that counts.
type timing func(whole time.Duration, printed string) (time.Duration, error)

func wholeRun(whole time.Duration, _ string) (time.Duration, error) { return whole, nil }

var presortTime = regexp.MustCompile(`(?m)^presort time = ([0-9.]+s)$`)

func toldTime(_ time.Duration, printed string) (time.Duration, error) {
	told := presortTime.FindStringSubmatch(printed)
	if told == nil {
		return 0, fmt.Errorf("no presort time in %q", printed)
	}
	return time.ParseDuration(told[1])
}

// variant runs a program of bin/lectures, or sort, over texts: none are those of the
// configuration.
func variant(name string, goal float64, timed timing, folder, program string, texts ...func() workload) measure.Variant {
	return measure.Variant{Name: name, Goal: goal, Run: func(ctx context.Context, cfg *measure.Config, n int64) (sample measure.Sample, err error) {
		cmd := measure.Command{Args: []string{filepath.Join(cfg.Bin, "lectures", folder, program), "-o"}}
		if program == "sort" {
			// In the C locale it compares fastest.
			cmd = measure.Command{Args: []string{"sort", "-n", "-o"}, Env: append(os.Environ(), "LC_ALL=C")}
		}
		if _, err := exec.LookPath(cmd.Args[0]); err != nil {
			return sample, measure.Skip("%w", err)
		}
		dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-sort-", os.Getpid()))
		if err != nil {
			return sample, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		drawn := benchTexts
		if len(texts) > 0 {
			drawn = texts[0]
		} else if cfg.Quick {
			drawn = quickTexts
		}
		texts := drawn()
		output := filepath.Join(dir, "sorted")
		cmd.Args = append(cmd.Args, output)
		for i, text := range texts[:benchFiles] {
			file := filepath.Join(dir, strconv.Itoa(i))
			if err := os.WriteFile(file, text, 0o600); err != nil {
				return sample, err
			}
			cmd.Args = append(cmd.Args, file)
		}
		for range n {
			start := time.Now()
			printed, err := measure.Together(ctx, cfg, cmd)
			if err != nil {
				return sample, err
			}
			took, err := timed(time.Since(start), printed[0])
			if err != nil {
				return sample, err
			}
			got, err := os.ReadFile(output)
			if err != nil {
				return sample, err
			}
			if !bytes.Equal(got, texts[benchFiles]) {
				return sample, fmt.Errorf("%s: the output is wrong", name)
			}
			sample.Elapsed += took
			sample.Verified++
		}
		return sample, nil
	}}
}
