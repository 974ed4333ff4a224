package measure

import "github.com/HdrHistogram/hdrhistogram-go"

// NewTimes is a histogram for [Sample]: 1 ns to 73 minutes, three digits.
func NewTimes() *hdrhistogram.Histogram { return hdrhistogram.New(1, 1<<42-1, 3) }

// Pairs are [ns, how often] of a histogram, as programs print them: ref/histogram.h does so
// in C.
func Pairs(times *hdrhistogram.Histogram) [][2]int64 {
	var p [][2]int64
	for _, b := range times.Distribution() {
		if b.Count > 0 {
			p = append(p, [2]int64{b.From, b.Count})
		}
	}
	return p
}

// TimesOf is the histogram of which a program has printed the pairs.
func TimesOf(pairs [][2]int64) (*hdrhistogram.Histogram, error) {
	times := NewTimes()
	for _, p := range pairs {
		if err := times.RecordValues(p[0], p[1]); err != nil {
			return nil, err
		}
	}
	return times, nil
}

// curve is where a distribution is looked at: densely in its middle, and from there on
// ever closer to its end, where the seldom and slow operations are.
var curve = []float64{
	0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.985,
	0.99, 0.9925, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 0.999999, 1,
}

// quantiles leaves out those points beyond which there is less than one operation: they
// would repeat the greatest.
func quantiles(times *hdrhistogram.Histogram) []Quantile {
	var points []Quantile
	for _, q := range curve {
		if beyond := (1 - q) * float64(times.TotalCount()); q < 1 && beyond < 1 {
			continue
		}
		ns := times.ValueAtQuantile(100 * q)
		switch q {
		case 0:
			ns = times.Min()
		case 1:
			ns = times.Max()
		}
		points = append(points, Quantile{q, ns})
	}
	return points
}
