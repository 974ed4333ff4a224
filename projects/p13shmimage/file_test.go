package p13shmimage

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

// inMemory is a picture as it would lie in a segment.
func inMemory(t testing.TB, p Picture, f Filter, pix []byte, workers int) *shared {
	t.Helper()
	l := newLayout(p, f, workers+1)
	memory := make([]byte, l.bytes)
	copy(memory[l.sourceAt:], pix)
	writeHeader(memory, p, l, &Options{Filter: f, Sigma: 2, Workers: workers})
	s, err := view(memory)
	require.NoError(t, err)
	return s
}

func TestEveryFormIsWrittenAsPNGAndReadBack(t *testing.T) {
	for _, p := range append([]Picture{{1200, 800, 3, 8}, {70000, 3, 1, 8}}, forms...) {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			pix := noise(p, 6)
			if p.HasAlpha() {
				pix[0+len(pix)-1] = 1 // not opaque
			}
			if p.Channels == 2 {
				return // is never read: a file with two channels becomes one of four
			}
			s := inMemory(t, p, Blur, pix, 3)
			copy(s.result, pix)
			var files [2]bytes.Buffer
			require.NoError(t, s.compress(0, s.strips))
			require.NoError(t, s.writePNG(&files[0]))
			for i := s.strips - 1; i >= 0; i-- { // one by one, in another order
				require.NoError(t, s.compress(i, i+1))
			}
			require.NoError(t, s.writePNG(&files[1]))
			assert.Equal(t, files[0].Bytes(), files[1].Bytes(), "whoever compresses")

			img, err := png.Decode(&files[0])
			require.NoError(t, err)
			back := make([]byte, p.Bytes())
			require.Equal(t, p, unpack(img, back))
			assert.Equal(t, pix, back)
		})
	}
}

func TestGreyWithAlphaIsWrittenAsSuch(t *testing.T) {
	p := Picture{9, 5, 4, 8}
	s := inMemory(t, p, Grayscale, noise(p, 7), 1)
	s.band(0, p.Height, func(int) {})
	require.NoError(t, s.compress(0, s.strips))
	var file bytes.Buffer
	require.NoError(t, s.writePNG(&file))
	assert.Equal(t, byte(4), file.Bytes()[25], "the colour type: grey and alpha")
	_, err := png.Decode(&file)
	assert.NoError(t, err)
}

func TestChecksumsAreJoined(t *testing.T) {
	text := noise(Picture{100_000, 1, 3, 8}, 8)
	for _, at := range []int{0, 1, 5552, 65521, 70_000, len(text)} {
		joined := appendAdler(adler32.Checksum(text[:at]), adler32.Checksum(text[at:]), len(text)-at)
		assert.Equal(t, adler32.Checksum(text), joined, at)
	}
	white := bytes.Repeat([]byte{255}, 1<<20)
	assert.Equal(t, adler32.Checksum(white), appendAdler(adler32.Checksum(white[:77777]), adler32.Checksum(white[77777:]), len(white)-77777))
}

func write(t testing.TB, name string, text []byte) file {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(name, text, 0o600))
	f, err := os.Open(name)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return file{context.Background(), f}
}

func TestPicturesOfEveryKindAreRead(t *testing.T) {
	opaque, clear := image.NewNRGBA(image.Rect(0, 0, 7, 5)), image.NewNRGBA(image.Rect(0, 0, 7, 5))
	palette := image.NewPaletted(image.Rect(0, 0, 7, 5), color.Palette{color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 9, 0, 255}})
	for i := range opaque.Pix {
		opaque.Pix[i], clear.Pix[i] = byte(i*7), byte(i*7)
		if i%4 == 3 {
			opaque.Pix[i] = 255
		}
	}
	var photo bytes.Buffer
	require.NoError(t, jpeg.Encode(&photo, opaque, &jpeg.Options{Quality: 100}))
	for name, c := range map[string]struct {
		img  image.Image
		file []byte
		want Picture
	}{
		"alpha":         {img: clear, want: Picture{7, 5, 4, 8}},
		"no alpha":      {img: opaque, want: Picture{7, 5, 3, 8}},
		"grey":          {img: image.NewGray(opaque.Rect), want: Picture{7, 5, 1, 8}},
		"grey, 16 bits": {img: image.NewGray16(opaque.Rect), want: Picture{7, 5, 1, 16}},
		"16 bits":       {img: image.NewRGBA64(opaque.Rect), want: Picture{7, 5, 4, 16}},
		"palette":       {img: palette, want: Picture{7, 5, 3, 8}},
		"JPEG":          {file: photo.Bytes(), want: Picture{7, 5, 3, 8}},
	} {
		t.Run(name, func(t *testing.T) {
			text := c.file
			if text == nil {
				var out bytes.Buffer
				require.NoError(t, png.Encode(&out, c.img))
				text = out.Bytes()
			}
			f := write(t, "picture", text)
			bound, err := readHeader(f)
			require.NoError(t, err)
			dst := make([]byte, bound.Bytes())
			p, err := readPicture(f, dst)
			require.NoError(t, err)
			assert.Equal(t, c.want, p)
			img, _, err := image.Decode(bytes.NewReader(text))
			require.NoError(t, err)
			back := rows{p, dst}
			for y := range p.Height {
				for x := range p.Width {
					want := color.NRGBA64Model.Convert(img.At(x, y)).(color.NRGBA64)
					sample := func(c int) uint16 {
						if p.Depth == 16 {
							return back.row16(y)[x*p.Channels+c]
						}
						return uint16(back.row8(y)[x*p.Channels+c]) * 257
					}
					if p.Channels == 1 {
						require.Equal(t, want.R, sample(0))
						continue
					}
					got := color.NRGBA64{sample(0), sample(1), sample(2), 65535}
					if p.HasAlpha() {
						got.A = sample(3)
					}
					require.InDelta(t, want.R, got.R, 257)
					require.InDelta(t, want.B, got.B, 257)
					require.Equal(t, want.A, got.A)
				}
			}
		})
	}
}

// header is the beginning of a PNG file that says this size.
func pngHeader(width, height uint32) []byte {
	chunk := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	chunk = append(binary.BigEndian.AppendUint32(chunk, height), 8, 2, 0, 0, 0)
	text := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), chunk...)
	return binary.BigEndian.AppendUint32(text, crc32.ChecksumIEEE(chunk))
}

func TestDamagedAndHugePicturesAreErrors(t *testing.T) {
	var whole bytes.Buffer
	require.NoError(t, png.Encode(&whole, image.NewNRGBA(image.Rect(0, 0, 100, 100))))
	text := whole.Bytes()
	flipped := bytes.Clone(text)
	flipped[len(text)/2] ^= 0x10
	for name, c := range map[string]struct {
		text []byte
		says string
	}{
		"empty":              {nil, "neither PNG nor JPEG"},
		"text":               {[]byte("P6 1 1 255 abc"), "neither PNG nor JPEG"},
		"cut in its header":  {text[:20], "EOF"},
		"cut in its pixels":  {text[:len(text)-20], "EOF"},
		"a bit flipped":      {flipped, "png: "},
		"no pixels":          {pngHeader(0, 5), ""},
		"65500 on a side":    {pngHeader(65500, 65500), "more than --memory allows"},
		"2 billion wide":     {pngHeader(1<<31-1, 1), "pixels"},
		"more than 63 bits":  {pngHeader(1<<31-1, 1<<31-1), ""},
		"a JPEG that is cut": {[]byte("\xff\xd8\xff\xe0\x00\x10JFIF"), "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			f := write(t, "in.png", c.text)
			out := filepath.Join(t.TempDir(), "out.png")
			var said bytes.Buffer
			err := Run(t.Context(), Options{Input: f.Name(), Output: out, Sigma: 1, Workers: 1, Memory: 1 << 30}, &said)
			require.Error(t, err)
			assert.Contains(t, err.Error(), f.Name())
			assert.Contains(t, err.Error(), c.says)
			assert.Empty(t, said.String())
			assert.NoFileExists(t, out)
		})
	}
}

func TestAnEndedContextEndsReading(t *testing.T) {
	var whole bytes.Buffer
	require.NoError(t, png.Encode(&whole, image.NewNRGBA(image.Rect(0, 0, 10, 10))))
	f := write(t, "in.png", whole.Bytes())
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(os.ErrDeadlineExceeded)
	err := Run(ctx, Options{Input: f.Name(), Output: f.Name() + ".png", Sigma: 1, Workers: 1, Memory: 1 << 30}, &bytes.Buffer{})
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestASegmentThatDoesNotFitIsRefused(t *testing.T) {
	p := Picture{100, 50, 3, 8}
	whole := inMemory(t, p, Blur, noise(p, 9), 2)
	for name, c := range map[string]struct {
		spoil func(h *header)
		says  string
	}{
		"no picture":         {func(h *header) { h.Magic[0] = 0 }, "no picture"},
		"another version":    {func(h *header) { h.Version = 2 }, "version 2"},
		"no width":           {func(h *header) { h.Width = 0 }, "pixels"},
		"greater than it is": {func(h *header) { h.Height = 51 * 20 }, "does not fit"},
		"five channels":      {func(h *header) { h.Channels = 5 }, "channels"},
		"17 bits":            {func(h *header) { h.Depth = 17 }, "bits"},
		"too many slots":     {func(h *header) { h.Slots = 1 << 31 }, "range"},
		"no such filter":     {func(h *header) { h.Filter = 99 }, "range"},
		"no such blur":       {func(h *header) { h.Sigma = 1e300 }, "range"},
		"rows elsewhere":     {func(h *header) { h.Source = 1 << 40 }, "does not fit"},
		"result elsewhere":   {func(h *header) { h.Result -= 4096 }, "does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			before := *whole.header
			defer func() { *whole.header = before }()
			c.spoil(whole.header)
			_, err := view(whole.memory)
			assert.ErrorContains(t, err, c.says)
		})
	}
	_, err := view(whole.memory[:len(whole.memory)-4096])
	assert.ErrorContains(t, err, "does not fit")
	_, err = view(whole.memory[:20])
	assert.Error(t, err)
	whole.slots[0].First, whole.slots[0].Last = 10, 51
	assert.ErrorContains(t, whole.work(filterJob, &whole.slots[0]), "of 50")
	whole.slots[0].Last = 11
	assert.ErrorContains(t, whole.work("dance", &whole.slots[0]), "dance")
}

// psnr is how near a picture is to another of the same form, in decibel. It is made of the
// mean square error, for versions of ImageMagick say differently what it is of two that are the same.
func psnr(t *testing.T, a, b string) float64 {
	t.Helper()
	out, _ := exec.CommandContext(t.Context(), "compare", "-metric", "MSE", a, b, "null:").CombinedOutput()
	var levels, share float64 // of a level, and of the greatest one
	_, err := fmt.Sscanf(string(out), "%g (%g)", &levels, &share)
	require.NoError(t, err, "%s", out)
	if share == 0 {
		return 1000
	}
	return -10 * math.Log10(share)
}

// ImageMagick rounds down where we round to the nearest, which alone is 48 dB.
func TestImageMagickMakesTheSameOfIt(t *testing.T) {
	for _, program := range []string{"convert", "compare"} {
		_, err := exec.LookPath(program)
		ipctest.Require(t, err == nil, "ImageMagick: "+program)
	}
	dir := t.TempDir()
	in, theirs, ours := filepath.Join(dir, "in.png"), filepath.Join(dir, "theirs.png"), filepath.Join(dir, "ours.png")
	img := image.NewNRGBA(image.Rect(0, 0, 160, 120))
	for y := range 120 {
		for x := range 160 {
			c := color.NRGBA{uint8(x * 255 / 160), uint8(y * 2), uint8((x*x + y*y) / 170), 255}
			if (x/20+y/15)%2 == 0 {
				c.R, c.B = 255-c.R, c.G
			}
			img.SetNRGBA(x, y, c)
		}
	}
	var text bytes.Buffer
	require.NoError(t, png.Encode(&text, img))
	require.NoError(t, os.WriteFile(in, text.Bytes(), 0o600))
	p := Picture{160, 120, 3, 8}
	pix := make([]byte, p.Bytes())
	require.Equal(t, p, unpack(img, pix))
	for _, c := range []struct {
		filter Filter
		args   []string
		least  float64
	}{
		{Blur, []string{"-gaussian-blur", "6x2"}, 45},
		{Sharpen, []string{"-morphology", "Convolve", "3x3:0,-1,0,-1,5,-1,0,-1,0"}, 60},
		{Emboss, []string{"-morphology", "Convolve", "3x3:2,1,0,1,1,-1,0,-1,-2"}, 60},
		{Invert, []string{"-negate"}, 60},
		{Grayscale, []string{"-grayscale", "Rec601Luma"}, 45},
	} {
		t.Run(c.filter.String(), func(t *testing.T) {
			args := append([]string{in, "-virtual-pixel", "edge"}, append(c.args, "-depth", "8", theirs)...)
			out, err := exec.CommandContext(t.Context(), "convert", args...).CombinedOutput()
			require.NoError(t, err, string(out))
			s := inMemory(t, p, c.filter, pix, 1)
			s.band(0, p.Height, func(int) {})
			require.NoError(t, s.compress(0, s.strips))
			var file bytes.Buffer
			require.NoError(t, s.writePNG(&file))
			require.NoError(t, os.WriteFile(ours, file.Bytes(), 0o600))
			assert.Greater(t, psnr(t, ours, theirs), c.least)
			if c.filter != Invert {
				assert.Less(t, psnr(t, ours, in), 40.0, "it did something")
			}
		})
	}
}
