package p13shmimage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"unpipc/projects/internal/measure"
)

const benchSigma = 5

// benchmark measures one filter by several programs with as many taps and as many workers
// or threads.
func benchmark(cfg measure.Config) []measure.Row {
	threads := strconv.Itoa(runtime.NumCPU())
	sigma := strconv.Itoa(benchSigma)
	what := fmt.Sprintf("by %s workers or threads, of %d×%d pixels: a ", threads, side(&cfg), side(&cfg))
	blurred := fmt.Sprintf("blur of sigma %d with %d taps, ", benchSigma, Taps(benchSigma))
	own := func(name, folder string, filter Filter, timed timing, flags ...string) measure.Variant {
		return variant(name, filter, timed, func(cfg *measure.Config, in, out string) measure.Command {
			args := []string{filepath.Join(cfg.Bin, folder, "shm_image_filter"), in, out, "--no-compare",
				"--filter", filterNames[filter], "--sigma", sigma, "--workers", threads}
			return measure.Command{Args: append(args, flags...)}
		})
	}
	peer := func(name, program string, timed timing) measure.Variant {
		return variant(name, Blur, timed, func(cfg *measure.Config, in, out string) measure.Command {
			return measure.Command{Args: []string{filepath.Join(cfg.Bin, "p13", "peers", program), in, out, sigma, threads}}
		})
	}
	vips := variant("libvips", Blur, wholeRun, func(_ *measure.Config, in, out string) measure.Command {
		return measure.Command{Args: []string{"vips", "gaussblur", in, out, sigma, "--min-ampl", "0.011"},
			Env: append(os.Environ(), "VIPS_CONCURRENCY="+threads)}
	})
	magick := variant("ImageMagick", Blur, wholeRun, func(_ *measure.Config, in, out string) measure.Command {
		return measure.Command{Args: []string{"convert", in, "-virtual-pixel", "edge", "-blur",
			fmt.Sprintf("%dx%d", 3*benchSigma, benchSigma), "-depth", "8", out},
			Env: append(os.Environ(), "MAGICK_THREAD_LIMIT="+threads)}
	})
	const check = "pixels of every file written, within eight units of the filter's own (libvips rounds its weights)"
	return []measure.Row{{
		Group: "exercise 13", Name: "image_blur_file", Detail: true, Unit: "pictures/s", Beside: 800 * time.Millisecond,
		What:  what + blurred + "from starting the program on a PNG file to its end, with another written",
		Check: check + "; no file of libvips is smaller than Go's by 1 %",
		Variants: []measure.Variant{
			own("Go", "p13", Blur, wholeRun), goal(vips, 2), peer("OpenCV", "opencv", wholeRun),
			magick, own("C, uncompressed", "p13/ref", Blur, wholeRun),
		},
	}, {
		Group: "exercise 13", Name: "image_blur_filter", Unit: "pictures/s", Beside: 800 * time.Millisecond,
		What:  what + blurred + "from starting the workers to the end of the last, of libraries from memory to memory",
		Check: check,
		Variants: []measure.Variant{
			own("Go", "p13", Blur, toldTotal), goal(peer("libvips", "vips", toldTotal), 3),
			goal(peer("OpenCV", "opencv", toldTotal), 1.5),
			own("Go without vectors", "p13", Blur, toldTotal, "--portable"), own("C", "p13/ref", Blur, toldTotal),
		},
	}, {
		Group: "exercise 13", Name: "image_edge_filter", Unit: "pictures/s", Beside: 800 * time.Millisecond,
		What:  what + "edge detection, from starting the workers to the end of the last",
		Check: check,
		Variants: []measure.Variant{
			own("Go", "p13", Edge, toldTotal), own("Go without vectors", "p13", Edge, toldTotal, "--portable"),
			own("C", "p13/ref", Edge, toldTotal),
		},
	}}
}

func goal(v measure.Variant, least float64) measure.Variant {
	v.Goal = least
	return v
}

// side is the picture's width and height.
func side(cfg *measure.Config) int {
	if cfg.Quick {
		return benchSide / 4
	}
	return benchSide
}

// timing is the time of one run that counts.
type timing func(whole time.Duration, output string) (time.Duration, error)

func wholeRun(whole time.Duration, _ string) (time.Duration, error) { return whole, nil }

var totalTime = regexp.MustCompile(`(?m)^Total time: ([0-9.]+)ms$`)

func toldTotal(_ time.Duration, output string) (time.Duration, error) {
	told := totalTime.FindStringSubmatch(output)
	if told == nil {
		return 0, fmt.Errorf("no total time in %q", output)
	}
	return time.ParseDuration(told[1] + "ms")
}

// variant runs a program over the benchmark's picture.
func variant(name string, filter Filter, timed timing, command func(cfg *measure.Config, in, out string) measure.Command) measure.Variant {
	run := func(ctx context.Context, cfg *measure.Config, n int64) (sample measure.Sample, err error) {
		b, err := newBench(filter, side(cfg))
		if err != nil {
			return sample, err
		}
		dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-image-", os.Getpid()))
		if err != nil {
			return sample, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		in, output := filepath.Join(dir, "in.png"), filepath.Join(dir, "out.png")
		if err := os.WriteFile(in, b.file, 0o600); err != nil {
			return sample, err
		}
		cmd := command(cfg, in, output)
		if _, err := exec.LookPath(cmd.Args[0]); err != nil {
			return sample, measure.Skip("%s was not there when the programs were built or is not installed: %w", name, err)
		}
		for range n {
			start := time.Now()
			out, err := measure.Together(ctx, cfg, cmd)
			if err != nil {
				return sample, err
			}
			took, err := timed(time.Since(start), out[0])
			if err = errors.Join(err, b.check(output, cmd.Args[0] == "vips")); err != nil {
				return sample, err
			}
			sample.Elapsed += took
			sample.Verified++
		}
		return sample, nil
	}
	return measure.Variant{Name: name, Run: run}
}
