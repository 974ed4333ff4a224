package p13shmimage

// sample is one of a picture's.
type sample interface{ uint8 | uint16 }

// pointwise are the filters that look at one pixel. Their formulas would multiply colours
// by alpha and divide them by it again, which changes nothing, but for pixels that cannot
// be seen: those become black.
func (t *task) pointwise(first, last int, done func(pixels int)) {
	in, out := rows{t.in, t.source}, rows{t.filter.Result(t.in), t.result}
	for y := first; y < last; y++ {
		if t.in.Depth == 16 {
			points(t.filter, out.row16(y), in.row16(y), t.in.Channels)
		} else {
			points(t.filter, out.row8(y), in.row8(y), t.in.Channels)
		}
		done(t.in.Width)
	}
}

func points[S sample](f Filter, dst, src []S, channels int) {
	if f == Grayscale {
		grayscale(dst, src, channels)
	} else {
		for i, v := range src {
			dst[i] = ^v
		}
	}
	if channels%2 == 1 {
		return
	}
	to := len(dst) * channels / len(src) // channels of the result
	for x := range len(src) / channels {
		alpha := src[(x+1)*channels-1]
		if dst[(x+1)*to-1] = alpha; alpha == 0 {
			clear(dst[x*to:][:to])
		}
	}
}

// grayscale is the luma of BT.601, with weights in units of 1/65536. It does not set alpha.
func grayscale[S sample](dst, src []S, channels int) {
	switch channels {
	case 1, 2:
		copy(dst, src)
	case 3:
		for i := range dst {
			dst[i] = luma(src[0], src[1], src[2])
			src = src[3:]
		}
	case 4:
		for i := 0; i < len(dst); i += 2 {
			dst[i] = luma(src[0], src[1], src[2])
			src = src[4:]
		}
	}
}

func luma[S sample](r, g, b S) S {
	return S((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}
