package p13shmimage

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

func TestProgram(t *testing.T) {
	built := programs.Build(t, "p13shmimage")
	program := filepath.Join(built.Go, "shm_image_filter")
	t.Run("the program in C makes the same pixels", func(t *testing.T) { testSameInC(t, built) })
	t.Run("every vector unit makes the same pixels", func(t *testing.T) { testUnits(t, program) })
	t.Run("JPEG is read and written", func(t *testing.T) { testJPEG(t, program) })
	t.Run("transparency is not lost in JPEG without a word", func(t *testing.T) { testNoAlphaInJPEG(t, program) })
	t.Run("the largest picture takes no more memory than stated", func(t *testing.T) { testLarge(t, program) })
	t.Run("a bar shows on a terminal how far it is", func(t *testing.T) { testBar(t, program) })
	t.Run("a worker refuses what is no segment of a picture", func(t *testing.T) { testWorker(t, program) })
	t.Run("output that cannot be said is an error", func(t *testing.T) { testFullOutput(t, program) })
	t.Run("the rows of the benchmark are measured", func(t *testing.T) { testRows(t, built) })
}

// command is the program, ended after some minutes.
func command(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, program, args...)
}

// slope is a picture whose colours go from one to another, with a scale of alpha.
func slope(alpha uint8) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			img.SetNRGBA(x, y, color.NRGBA{uint8(4 * x), uint8(5 * y), 100, alpha})
		}
	}
	return img
}

func save(t *testing.T, name string, encode func(*bytes.Buffer) error) string {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, encode(&text))
	name = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(name, text.Bytes(), 0o600))
	return name
}

func open(t *testing.T, name string) (image.Image, string) {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	img, format, err := image.Decode(f)
	require.NoError(t, err)
	return img, format
}

func testJPEG(t *testing.T, program string) {
	in := save(t, "in.jpg", func(b *bytes.Buffer) error { return jpeg.Encode(b, slope(255), &jpeg.Options{Quality: 100}) })
	for out, want := range map[string]string{"out.jpeg": "jpeg", "out.JPG": "jpeg", "out.png": "png"} {
		out = filepath.Join(t.TempDir(), out)
		text, err := command(t, program, in, out, "--filter=invert", "--workers=3").CombinedOutput()
		require.NoError(t, err, string(text))
		img, format := open(t, out)
		assert.Equal(t, want, format)
		for _, at := range []image.Point{{5, 5}, {60, 40}, {30, 20}} {
			r, g, b, _ := img.At(at.X, at.Y).RGBA()
			assert.InDelta(t, 255-4*at.X, r>>8, 6)
			assert.InDelta(t, 255-5*at.Y, g>>8, 6)
			assert.InDelta(t, 155, b>>8, 6)
		}
	}
}

func testSameInC(t *testing.T, built *programs.Built) {
	for _, p := range forms {
		pix := noise(p, 12)
		for f, name := range filterNames {
			s := inMemory(t, p, Invert, pix, 1)
			copy(s.result, pix)
			require.NoError(t, s.compress(0, s.strips))
			in := save(t, "in.png", func(b *bytes.Buffer) error { return s.writePNG(b) })
			var got [2]image.Image
			for i, folder := range []string{built.Go, built.C} {
				out := filepath.Join(filepath.Dir(in), fmt.Sprint(i, ".png"))
				text, err := command(t, filepath.Join(folder, "shm_image_filter"), in, out, "--filter", name,
					"--sigma", "2.5", "--workers", "2", "--no-compare").CombinedOutput()
				require.NoError(t, err, string(text))
				got[i], _ = open(t, out)
			}
			require.Equal(t, got[0], got[1], "%v %v", p, Filter(f))
		}
	}
}

// testUnits switches off what the processor has, from the widest unit on.
func testUnits(t *testing.T, program string) {
	for _, p := range forms {
		s := inMemory(t, p, Invert, noise(p, 14), 1)
		require.NoError(t, s.compress(0, s.strips))
		in := save(t, "in.png", func(b *bytes.Buffer) error { return s.writePNG(b) })
		var want []byte
		for _, unit := range []string{"", "cpu.avx512bw=off", "cpu.avx512bw=off,cpu.avx2=off"} {
			out := filepath.Join(t.TempDir(), "out.png")
			cmd := command(t, program, in, out, "--sigma=2.5", "--workers=2", "--no-compare")
			cmd.Env = append(os.Environ(), "GODEBUG="+unit)
			text, err := cmd.CombinedOutput()
			require.NoError(t, err, string(text))
			made, err := os.ReadFile(out)
			require.NoError(t, err)
			if want == nil {
				want = made
			}
			assert.Equal(t, want, made, "%v %s", p, unit)
		}
	}
}

func testNoAlphaInJPEG(t *testing.T, program string) {
	in := save(t, "in.png", func(b *bytes.Buffer) error { return png.Encode(b, slope(100)) })
	out := filepath.Join(t.TempDir(), "out.jpg")
	text, err := command(t, program, in, out).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(text), "transparency")
	assert.NoFileExists(t, out)
}

// largePNG is a grey picture of vertical stripes.
func largePNG(b *bytes.Buffer) error {
	line := make([]byte, largeSide+1)
	for x := range largeSide {
		line[1+x] = byte(x / 64 % 2 * 200)
	}
	text := pngHeader(largeSide, largeSide)
	text[25] = 0 // grey
	c := chunks{w: b}
	c.raw(text[:8])
	c.write("IHDR", text[16:29])
	var data bytes.Buffer
	z, err := zlib.NewWriterLevel(&data, zlib.BestSpeed)
	if err != nil {
		return err
	}
	for range largeSide {
		if _, err := z.Write(line); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	c.write("IDAT", data.Bytes())
	c.write("IEND", nil)
	return c.err
}

func testLarge(t *testing.T, program string) {
	in := save(t, "in.png", largePNG)
	out := filepath.Join(filepath.Dir(in), "out.png")
	cmd := command(t, program, in, out, "--workers=2", "--sigma=2", "--no-compare")
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, string(text))
	const picture = largeSide * largeSide
	most := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	assert.Less(t, most, int64(2*picture+picture/5+programBytes), "twice the picture, and some")
	img, _ := open(t, out)
	grey := img.(*image.Gray)
	require.Equal(t, image.Rect(0, 0, largeSide, largeSide), grey.Rect)
	first := grey.Pix[:largeSide]
	assert.Equal(t, []byte{0, 200, 0}, []byte{first[20], first[64+32], first[largeSide-64-32]})
	assert.InDelta(t, 100, int(first[63])+int(first[64])-100, 2, "blurred")
	for y := range largeSide {
		if !bytes.Equal(first, grey.Pix[y*grey.Stride:][:largeSide]) {
			t.Fatalf("row %d differs", y)
		}
	}
}

func testBar(t *testing.T, program string) {
	in := save(t, "in.png", func(b *bytes.Buffer) error { return png.Encode(b, slope(255)) })
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	defer master.Close()
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	cmd := command(t, program, in, in)
	cmd.Stderr = terminal
	require.NoError(t, cmd.Run())
	require.NoError(t, terminal.Close())
	shown, err := io.ReadAll(master)
	require.ErrorIs(t, err, unix.EIO, "all was read that was written, and nobody has the terminal open")
	assert.Contains(t, string(shown), "filtering")

	cmd = command(t, program, in, in)
	var elsewhere bytes.Buffer
	cmd.Stderr = &elsewhere
	require.NoError(t, cmd.Run())
	assert.Empty(t, elsewhere.String())
}

func testWorker(t *testing.T, program string) {
	id, memory, err := newSegment(4096)
	require.NoError(t, err)
	defer func() { assert.NoError(t, unix.SysvShmDetach(memory)) }()
	for _, args := range [][]string{
		{"--worker=filter", fmt.Sprint(id), "0"}, {"--worker=filter", "2147483647", "0"}, {"--worker=filter", "x", "0"},
	} {
		cmd := command(t, program, args...)
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		text, err := cmd.CombinedOutput()
		require.Error(t, err)
		assert.Equal(t, 1, cmd.ProcessState.ExitCode())
		assert.Contains(t, string(text), "shm_image_filter: ")
		stdin.Close()
	}
}

func testFullOutput(t *testing.T, program string) {
	in := save(t, "in.png", func(b *bytes.Buffer) error { return png.Encode(b, slope(255)) })
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	cmd := command(t, program, in, in)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &said
	require.Error(t, cmd.Run())
	assert.Contains(t, said.String(), "no space left on device")
}

func testRows(t *testing.T, built *programs.Built) {
	defer func(side int) { benchSide = side }(benchSide)
	benchSide = 256
	bin := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(bin, "p13"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(built.Go, "shm_image_filter"), filepath.Join(bin, "p13", "shm_image_filter")))
	require.NoError(t, os.Symlink(built.C, filepath.Join(bin, "p13", "ref")))
	programs.BuildPeers(t, "p13shmimage", bin)
	cfg := measure.Config{Bin: bin, Timeout: 5 * time.Minute}.Defaults()
	for _, row := range benchmark(cfg) {
		for _, v := range row.Variants {
			sample, err := v.Run(t.Context(), &cfg, 1)
			if reason, skipped := measure.Skipped(err); skipped {
				require.Contains(t, []string{"libvips", "OpenCV", "ImageMagick"}, v.Name, "what is not ours may be absent")
				assert.Contains(t, reason, v.Name)
				continue
			}
			require.NoError(t, err, "%s: %s", row.Name, v.Name)
			assert.Equal(t, int64(1), sample.Verified)
			assert.Positive(t, sample.Elapsed)
		}
	}
}
