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
