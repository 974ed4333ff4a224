package p13shmimage

import (
	"unsafe"

	"unpipc/projects/p13shmimage/taps"
)

// rows reads and writes rows of a picture as real numbers: 0 to 255 for opaque pictures of
// 8 bits, 0 to 65535 for others, with colours multiplied by alpha.
type rows struct {
	Picture
	bytes []byte
}

// most is the greatest number.
func (p Picture) most() float32 {
	if p.Depth == 8 && !p.HasAlpha() {
		return 255
	}
	return 65535
}

func (r *rows) row8(y int) []byte { return r.bytes[y*r.RowBytes():][:r.RowBytes()] }

func (r *rows) row16(y int) []uint16 {
	row := r.row8(y)
	return unsafe.Slice((*uint16)(unsafe.Pointer(&row[0])), len(row)/2)
}

// load puts pixels x0 to x1-1 of a row into dst.
func (r *rows) load(dst []float32, y, x0, x1 int) {
	c := r.Channels
	dst = dst[:(x1-x0)*c]
	if r.Depth == 16 {
		for i, v := range r.row16(y)[x0*c : x1*c] {
			dst[i] = float32(v)
		}
	} else {
		taps.Floats(dst, r.row8(y)[x0*c:x1*c])
	}
	if r.HasAlpha() {
		scale := r.most() / float32(int(1)<<r.Depth-1)
		for p := dst; len(p) > 0; p = p[c:] {
			multiply(p[:c], scale)
		}
	}
}

// store is the way back, for pixels from x0 on. It changes src.
func (r *rows) store(src []float32, y, x0 int) {
	c := r.Channels
	if r.HasAlpha() {
		scale := r.most() / float32(int(1)<<r.Depth-1)
		for p := src; len(p) > 0; p = p[c:] {
			divide(p[:c], scale)
		}
	}
	if r.Depth == 16 {
		dst := r.row16(y)[x0*c:]
		for i, v := range src {
			dst[i] = uint16(min(max(v, 0), 65535) + 0.5)
		}
		return
	}
	taps.Bytes(r.row8(y)[x0*c:][:len(src)], src)
}

// multiply makes the colours of a pixel those that it contributes: a pixel that cannot be
// seen must not colour its neighbours. All its samples are scaled.
func multiply(pixel []float32, scale float32) {
	last := len(pixel) - 1
	pixel[last] *= scale
	for i := range pixel[:last] {
		pixel[i] = pixel[i] * scale * pixel[last] / 65535
	}
}

func divide(pixel []float32, scale float32) {
	last := len(pixel) - 1
	alpha := pixel[last]
	pixel[last] /= scale
	for i := range pixel[:last] {
		if alpha < 0.5 {
			pixel[i] = 0 // nothing will be seen of it
			continue
		}
		pixel[i] = pixel[i] * 65535 / alpha / scale
	}
}
