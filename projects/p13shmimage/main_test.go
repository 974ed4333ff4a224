package p13shmimage

import (
	"math/rand/v2"
	"os"
	"testing"

	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// forms are pictures of every kind, some smaller than a blur is wide.
var forms = []Picture{
	{1, 1, 3, 8}, {5, 3, 1, 8}, {200, 100, 3, 8}, {97, 61, 4, 8}, {40, 30, 2, 8},
	{33, 70, 1, 16}, {64, 48, 3, 16}, {50, 41, 4, 16}, {1500, 3, 3, 8},
}

// noise is a picture of any values, with areas that are black, white or transparent.
func noise(p Picture, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 13))
	pix := make([]byte, p.Bytes())
	for y := range p.Height {
		row := pix[y*p.RowBytes():][:p.RowBytes()]
		area := r.IntN(4)
		for i := range row {
			if i%64 == 0 {
				area = r.IntN(4)
			}
			row[i] = []byte{0, 255, byte(r.IntN(256)), byte(r.IntN(256))}[area]
		}
	}
	return pix
}

// filtered is the result of n bands.
func filtered(p Picture, f Filter, sigma float64, source []byte, n int) []byte {
	t := task{filter: f, sigma: sigma, in: p, source: source, result: make([]byte, f.Result(p).Bytes())}
	for i := range n {
		t.band(i*p.Height/n, (i+1)*p.Height/n, func(int) {})
	}
	return t.result
}
