package p13shmimage

import (
	"fmt"
	"strings"
)

// Filter says what is to be done with every pixel.
type Filter int

// The filters. See the README for their formulas.
const (
	Blur Filter = iota
	Sharpen
	Edge
	Emboss
	Grayscale
	Invert
)

var filterNames = []string{"blur", "sharpen", "edge", "emboss", "grayscale", "invert"}

var filterTitles = []string{"Gaussian blur", "Sharpen", "Edge detection (Sobel)", "Emboss", "Grayscale", "Invert"}

// ParseFilter finds a filter by its name on the command line.
func ParseFilter(name string) (Filter, error) {
	for i, n := range filterNames {
		if n == name {
			return Filter(i), nil
		}
	}
	return 0, fmt.Errorf("no filter %q: there are %s", name, strings.Join(filterNames, ", "))
}

// String is the filter's title.
func (f Filter) String() string {
	if f < 0 || int(f) >= len(filterTitles) {
		return "none"
	}
	return filterTitles[f]
}

// Result is the form of what the filter makes of a picture.
func (f Filter) Result(p Picture) Picture {
	if f == Grayscale && p.Channels > 2 {
		p.Channels -= 2
	}
	return p
}

// task is all that decides the bytes of a result.
type task struct {
	filter Filter
	sigma  float64
	in     Picture
	source []byte // rows of in
	result []byte // rows of filter.Result(in)
}

// band filters rows first to last-1, and tells of the pixels done as it goes.
func (t *task) band(first, last int, done func(pixels int)) {
	switch {
	case t.filter == Grayscale || t.filter == Invert:
		t.pointwise(first, last, done)
		return
	case t.filter != Blur:
		newNear(t).band(first, last, done)
		return
	}
	w := weights(t.sigma)
	if t.in.most() == 255 && len(w)-1 <= fixedRadius {
		newFixedBlur(t, w).band(first, last, done)
	} else {
		newFloatBlur(t, w).band(first, last, done)
	}
}
