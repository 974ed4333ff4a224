package p13shmimage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"unpipc/projects/internal/measure"
)

// The benchmark's picture, width and height, and its blur.
var benchSide = 2048

const benchSigma = 5

// benchmark measures one blur by several programs with as many workers or threads.
func benchmark(measure.Config) []measure.Row {
	threads := runtime.NumCPU()
	what := fmt.Sprintf("a blur (sigma %d) of %d×%d pixels by %d workers or threads", benchSigma, benchSide, benchSide, threads)
	own := func(name, folder string, timed timing, flags ...string) measure.Variant {
		return variant(name, 0, timed, func(cfg *measure.Config, b *bench) []string {
			args := []string{filepath.Join(cfg.Bin, folder, "shm_image_filter"), b.in, b.out, "--no-compare",
				"--sigma", strconv.Itoa(benchSigma), "--workers", strconv.Itoa(threads)}
			return append(args, flags...)
		})
	}
	return []measure.Row{{
		Group: "exercise 13", Name: "image_blur_file",
		What:  what + ", from starting the program on a PNG file to its end, with another written",
		Check: "pixels of every file written, within eight units of the filter's own (libvips rounds its weights)",
		Unit:  "pictures/s",
		Variants: []measure.Variant{
			own("Go", "p13", wholeRun),
			variant("libvips", 2, wholeRun, func(_ *measure.Config, b *bench) []string {
				return []string{"env", "VIPS_CONCURRENCY=" + strconv.Itoa(threads), "vips", "gaussblur", b.in, b.out,
					strconv.Itoa(benchSigma), "--min-ampl", "0.011"} // as many taps
			}),
			variant("ImageMagick", 0, wholeRun, func(_ *measure.Config, b *bench) []string {
				return []string{"env", "MAGICK_THREAD_LIMIT=" + strconv.Itoa(threads), "convert", b.in, "-virtual-pixel", "edge",
					"-blur", fmt.Sprintf("%dx%d", 3*benchSigma, benchSigma), "-depth", "8", b.out}
			}),
			own("C, uncompressed", "p13/ref", wholeRun),
		},
	}, {
		Group: "exercise 13", Name: "image_blur_filter",
		What:  what + ", from starting the workers to the end of the last, as the program tells",
		Check: "pixels of every file written, within eight units of the filter's own (libvips rounds its weights)",
		Unit:  "pictures/s",
		Variants: []measure.Variant{
			own("Go", "p13", toldTotal),
			own("Go without vectors", "p13", toldTotal, "--portable"),
			own("C", "p13/ref", toldTotal),
		},
	}}
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

func variant(name string, goal float64, timed timing, args func(cfg *measure.Config, b *bench) []string) measure.Variant {
	return measure.Variant{Name: name, Goal: goal,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (sample measure.Sample, err error) {
			b, err := newBench()
			if err != nil {
				return sample, err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
			argv := args(cfg, b)
			program := argv[0]
			if program == "env" {
				program = argv[2]
			}
			if _, err := exec.LookPath(program); err != nil {
				return sample, measure.Skip("%w", err)
			}
			for range n {
				start := time.Now()
				out, err := measure.Together(ctx, cfg, measure.Command{Args: argv})
				if err != nil {
					return sample, err
				}
				took, err := timed(time.Since(start), out[0])
				if err = errors.Join(err, b.check()); err != nil {
					return sample, err
				}
				sample.Elapsed += took
				sample.Verified++
			}
			return sample, nil
		}}
}

// bench is a picture in a file, and what it is to become.
type bench struct {
	dir, in, out string
	want         []byte
}

func newBench() (*bench, error) {
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-image-", os.Getpid()))
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir, in: filepath.Join(dir, "in.png"), out: filepath.Join(dir, "out.png")}
	p := Picture{benchSide, benchSide, 3, 8}
	img := image.NewNRGBA(image.Rect(0, 0, benchSide, benchSide))
	state := uint32(1)
	for i := range img.Pix {
		state = state*1664525 + 1013904223
		x, y := i/4%benchSide, i/4/benchSide
		img.Pix[i] = uint8(x*(i%4+1)/16+y/8) + uint8(state>>29) // a slope with a little noise
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := errors.Join(encoder.Encode(&file, img), os.WriteFile(b.in, file.Bytes(), 0o600)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	t := task{filter: Blur, sigma: benchSigma, in: p, source: make([]byte, p.Bytes()), result: make([]byte, p.Bytes())}
	unpack(img, t.source)
	t.band(0, p.Height, func(int) {})
	b.want = t.result
	return b, nil
}

// check compares what a program has written, and removes it.
func (b *bench) check() error {
	text, err := os.ReadFile(b.out)
	if err != nil {
		return err
	}
	img, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		return err
	}
	got := make([]byte, len(b.want))
	if p := unpack(img, got); p != (Picture{benchSide, benchSide, 3, 8}) {
		return fmt.Errorf("the output is a picture %v", p)
	}
	for i, v := range got {
		if d := int(v) - int(b.want[i]); d < -8 || d > 8 {
			return fmt.Errorf("sample %d of the output is %d, not %d", i, v, b.want[i])
		}
	}
	return os.Remove(b.out)
}
