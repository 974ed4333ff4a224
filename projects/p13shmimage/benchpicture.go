package p13shmimage

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"sync"
)

// The benchmark's picture, width and height, unless it is to be quick.
var benchSide = 2048

// bench is that picture as a file, and what it is to become.
type bench struct {
	file       []byte
	result     Picture
	want       []byte
	compressed int // bytes of the file that Go writes
}

var (
	benchMutex sync.Mutex
	benches    = map[string]*bench{} // made once: by filter and size
)

func newBench(filter Filter, side int) (*bench, error) {
	benchMutex.Lock()
	defer benchMutex.Unlock()
	key := fmt.Sprint(filter, side)
	if b := benches[key]; b != nil {
		return b, nil
	}
	b, img := &bench{}, benchImage(side)
	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := errors.Join(encoder.Encode(&file, img), b.filter(filter, img)); err != nil {
		return nil, err
	}
	b.file = file.Bytes()
	benches[key] = b
	return b, nil
}

// benchImage has slopes with a little noise.
func benchImage(side int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	state := uint32(1)
	for i := range img.Pix {
		state = state*1664525 + 1013904223
		x, y := i/4%side, i/4/side
		img.Pix[i] = uint8(x*(i%4+1)/16+y/8) + uint8(state>>29)
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

// filter does what the programs are to do, in this process.
func (b *bench) filter(filter Filter, img *image.NRGBA) error {
	p := Picture{img.Rect.Dx(), img.Rect.Dy(), 3, 8}
	l := newLayout(p, filter, 2)
	memory := make([]byte, l.bytes)
	writeHeader(memory, p, l, &Options{Filter: filter, Sigma: benchSigma, Workers: 1})
	s, err := view(memory)
	if err != nil {
		return err
	}
	unpack(img, s.source)
	s.band(0, p.Height, func(int) {})
	b.result, b.want = filter.Result(p), bytes.Clone(s.result)
	var file bytes.Buffer
	err = errors.Join(s.compress(0, s.strips), s.writePNG(&file))
	b.compressed = file.Len()
	return err
}

// check compares what a program has written, and removes it.
func (b *bench) check(output string, noSmaller bool) error {
	text, err := os.ReadFile(output)
	if err != nil {
		return err
	}
	if noSmaller && len(text) < b.compressed-b.compressed/100 {
		return fmt.Errorf("the output has %d bytes, Go's %d", len(text), b.compressed)
	}
	img, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		return err
	}
	got := make([]byte, len(b.want))
	if p := unpack(img, got); p != b.result {
		return fmt.Errorf("the output is a picture %v, not %v", p, b.result)
	}
	for i, v := range got {
		if d := int(v) - int(b.want[i]); d < -8 || d > 8 {
			return fmt.Errorf("sample %d of the output is %d, not %d", i, v, b.want[i])
		}
	}
	return os.Remove(output)
}
