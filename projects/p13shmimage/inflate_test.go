package p13shmimage

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

// texts compress in every way: not at all, by repetition near and far, by frequency.
func texts() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 1))
	all := map[string][]byte{"empty": nil, "one byte": {7}, "zeros": make([]byte, 100_000), "any": make([]byte, 200_000)}
	for i := range all["any"] {
		all["any"][i] = byte(r.IntN(256))
	}
	skewed := make([]byte, 300_000)
	for i := range skewed {
		skewed[i] = byte(r.ExpFloat64() * 3) // frequencies far apart make long words
		if r.IntN(50) == 0 && i > 40_000 {
			copy(skewed[i:], skewed[i-1-r.IntN(32768):][:min(1+r.IntN(300), len(skewed)-i)])
		}
	}
	all["skewed"] = skewed
	all["far"] = append(bytes.Clone(all["any"][:32768]), all["any"][:32768]...)
	return all
}

func deflate(t testing.TB, text []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
	require.NoError(t, err)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// inflateTo fills out exactly.
func inflateTo(in, out []byte) error {
	err := inflate(in, func(text []byte) error {
		if len(text) > len(out) {
			return errInflate
		}
		out = out[copy(out, text):]
		return nil
	})
	if err == nil && len(out) > 0 {
		err = errInflate
	}
	return err
}

func TestWhatGoCompressesIsDecompressed(t *testing.T) {
	for name, text := range texts() {
		for level := zlib.HuffmanOnly; level <= zlib.BestCompression; level++ {
			out := make([]byte, len(text))
			require.NoError(t, inflateTo(deflate(t, text, level), out), "%s, level %d", name, level)
			require.True(t, bytes.Equal(text, out), "%s, level %d", name, level)
		}
	}
}

// zlib makes other blocks of the same text: fixed codes, other choices of lengths.
func TestWhatZlibCompressesIsDecompressed(t *testing.T) {
	_, err := exec.LookPath("perl")
	ipctest.Require(t, err == nil, "perl")
	for name, text := range texts() {
		for level := range 10 {
			cmd := exec.CommandContext(t.Context(), "perl", "-MCompress::Zlib", "-we", "binmode STDOUT; local $/; print compress(scalar <STDIN> // '', $ARGV[0])", fmt.Sprint(level))
			cmd.Stdin = bytes.NewReader(text)
			packed, err := cmd.Output()
			require.NoError(t, err)
			out := make([]byte, len(text))
			require.NoError(t, inflateTo(packed, out), "%s, level %d", name, level)
			require.True(t, bytes.Equal(text, out), "%s, level %d", name, level)
		}
	}
}

func TestDamagedDataIsAnErrorAndNothingElse(t *testing.T) {
	text := texts()["skewed"][:20_000]
	for _, level := range []int{zlib.NoCompression, zlib.HuffmanOnly, zlib.BestSpeed, zlib.BestCompression} {
		packed := deflate(t, text, level)
		out := make([]byte, len(text))
		for n := range min(len(packed), 700) {
			assert.Error(t, inflateTo(packed[:len(packed)-1-n], out), "cut")
		}
		assert.Error(t, inflateTo(packed, out[:len(out)-1]), "too long")
		assert.Error(t, inflateTo(packed, make([]byte, len(text)+1)), "too short")
		r := rand.New(rand.NewPCG(2, uint64(level)))
		for range 1000 {
			bad := bytes.Clone(packed)
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			if inflateTo(bad, out) == nil { // Adler-32 does not see every change
				z, err := zlib.NewReader(bytes.NewReader(bad))
				require.NoError(t, err)
				same, err := io.ReadAll(z)
				require.NoError(t, err)
				require.True(t, bytes.Equal(same, out))
			}
		}
	}
	r := rand.New(rand.NewPCG(3, 3))
	for range 5000 {
		junk := append([]byte{0x78, 0x01}, make([]byte, r.IntN(60))...)
		for i := range junk[2:] {
			junk[2+i] = byte(r.IntN(256))
		}
		_ = inflateTo(junk, make([]byte, 100)) // must come back
	}
}

func FuzzInflate(f *testing.F) {
	for _, text := range texts() {
		f.Add(deflate(f, text[:min(len(text), 500)], 6))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		z, err := zlib.NewReader(bytes.NewReader(packed))
		if err != nil {
			return
		}
		want, err := io.ReadAll(io.LimitReader(z, 1<<20))
		if err != nil || len(want) == 1<<20 {
			return
		}
		got := make([]byte, len(want))
		if err := inflateTo(packed, got); err != nil || !bytes.Equal(want, got) {
			t.Fatal(err)
		}
	})
}

// Our reader and image/png must see the same pixels, for every kind of line.
func TestOurReaderSeesWhatGoSees(t *testing.T) {
	for _, p := range []Picture{{37, 41, 1, 8}, {37, 41, 3, 8}, {37, 41, 4, 8}, {37, 41, 1, 16}, {37, 41, 3, 16}, {37, 41, 4, 16}, {1, 9, 4, 8}} {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			pix := noise(p, 11)
			raw := make([]byte, 0, (p.RowBytes()+1)*p.Height)
			for y := range p.Height { // any bytes are differences of some picture
				raw = append(append(raw, byte(y%5)), pix[y*p.RowBytes():][:p.RowBytes()]...)
			}
			var file bytes.Buffer
			c := chunks{w: &file}
			head := pngHeader(uint32(p.Width), uint32(p.Height))[16:29]
			head[8], head[9] = byte(p.Depth), []byte{0, 0, 0, 2, 6}[p.Channels]
			c.raw([]byte("\x89PNG\r\n\x1a\n"))
			c.write("IHDR", head)
			packed := deflate(t, raw, 6)
			c.write("IDAT", packed[:len(packed)/2])
			c.write("IDAT", packed[len(packed)/2:])
			c.write("IEND", nil)
			ours, theirs := make([]byte, p.Bytes()), make([]byte, p.Bytes())
			got, ok := readPNG(bytes.Clone(file.Bytes()), ours)
			require.True(t, ok)
			img, err := png.Decode(&file)
			require.NoError(t, err)
			require.Equal(t, unpack(img, theirs), got)
			assert.Equal(t, theirs, ours)
		})
	}
}

func TestTheUsualFormsAreReadByOurReader(t *testing.T) {
	opaque := image.NewNRGBA(image.Rect(0, 0, 9, 9))
	for i := range opaque.Pix {
		opaque.Pix[i] = 255
	}
	var file bytes.Buffer
	require.NoError(t, (&png.Encoder{}).Encode(&file, opaque))
	p, ok := readPNG(file.Bytes(), make([]byte, 9*9*4))
	require.True(t, ok)
	assert.Equal(t, Picture{9, 9, 3, 8}, p)
	_, ok = readPNG([]byte("P6"), nil)
	assert.False(t, ok)
	_, ok = readPNG(grey(t), make([]byte, 10))
	assert.False(t, ok, "no room")
}

func grey(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	require.NoError(t, png.Encode(&file, image.NewGray(image.Rect(0, 0, 9, 9))))
	return file.Bytes()
}

// Go's reader and this one, each over the benchmark's picture.
func BenchmarkRead(b *testing.B) {
	var file bytes.Buffer
	img := benchImage(benchSide)
	require.NoError(b, (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&file, img))
	text := file.Bytes()
	dst := make([]byte, len(img.Pix))
	run := func(name string, read func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(dst)))
			for b.Loop() {
				require.NoError(b, read())
			}
		})
	}
	run("image/png", func() error { _, err := png.Decode(bytes.NewReader(text)); return err })
	run("this", func() error {
		if _, ok := readPNG(bytes.Clone(text), dst); !ok {
			return errInflate
		}
		return nil
	})
}
