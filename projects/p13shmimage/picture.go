package p13shmimage

import "fmt"

// Picture is the form of a picture: how its samples lie in memory.
type Picture struct {
	Width, Height int
	Channels      int // 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
	Depth         int // bits in a sample: 8 or 16
}

// RowBytes is the length of a row.
func (p Picture) RowBytes() int { return p.Width * p.Channels * p.Depth / 8 }

// Bytes is the size of all rows.
func (p Picture) Bytes() int { return p.RowBytes() * p.Height }

// HasAlpha says whether the last channel is alpha. Colours are not multiplied by it.
func (p Picture) HasAlpha() bool { return p.Channels%2 == 0 }

// MaxSide bounds width and height. A picture of this size on both sides is refused for
// its memory, not for its numbers.
const MaxSide = 1 << 20

// check refuses what cannot be a picture here.
func (p Picture) check() error {
	if p.Width < 1 || p.Height < 1 || p.Width > MaxSide || p.Height > MaxSide {
		return fmt.Errorf("%d×%d pixels: each side must have 1 to %d", p.Width, p.Height, MaxSide)
	}
	if p.Channels < 1 || p.Channels > 4 || p.Depth != 8 && p.Depth != 16 {
		return fmt.Errorf("%d channels of %d bits", p.Channels, p.Depth)
	}
	return nil
}
