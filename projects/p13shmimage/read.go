package p13shmimage

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"os"
)

// file is an input that ends with its context.
type file struct {
	ctx context.Context
	*os.File
}

func (f file) Read(p []byte) (int, error) {
	if f.ctx.Err() != nil {
		return 0, context.Cause(f.ctx)
	}
	return f.File.Read(p)
}

// readHeader tells the largest form that the file's picture can have.
func readHeader(f file) (Picture, error) {
	config, _, err := image.DecodeConfig(f)
	if err != nil {
		return Picture{}, explain(f, err)
	}
	p := Picture{config.Width, config.Height, 4, 8}
	switch config.ColorModel {
	case color.GrayModel:
		p.Channels = 1
	case color.Gray16Model:
		p.Channels, p.Depth = 1, 16
	case color.RGBAModel, color.YCbCrModel, color.CMYKModel:
		p.Channels = 3
	case color.RGBA64Model:
		p.Channels, p.Depth = 3, 16
	case color.NRGBA64Model:
		p.Depth = 16
	}
	_, err = f.Seek(0, io.SeekStart)
	if err == nil {
		err = p.check()
	}
	return p, explain(f, err)
}

// readPicture decodes the file into dst, which has room for what readHeader said.
func readPicture(f file, dst []byte) (Picture, error) {
	st, err := f.Stat()
	if err != nil {
		return Picture{}, err
	}
	text := make([]byte, st.Size(), st.Size()+16)
	if _, err := io.ReadFull(f, text); err == nil {
		if p, ok := readPNG(text, dst); ok {
			return p, nil
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Picture{}, explain(f, err)
	}
	img, _, err := image.Decode(f)
	if err != nil {
		return Picture{}, explain(f, err)
	}
	return unpack(img, dst), nil
}

func explain(f file, err error) error {
	if err == nil || context.Cause(f.ctx) != nil {
		return context.Cause(f.ctx)
	}
	if err == image.ErrFormat {
		return fmt.Errorf("%s: neither PNG nor JPEG", f.Name())
	}
	return fmt.Errorf("%s: %w", f.Name(), err)
}

// unpack copies a decoded picture. What has alpha but hides nothing becomes one without.
func unpack(img image.Image, dst []byte) Picture {
	size := img.Bounds().Size()
	p := Picture{size.X, size.Y, 3, 8}
	each := func(pix []byte, stride, from int, copyRow func(to rows, y int, row []byte)) Picture {
		to := rows{Picture: p, bytes: dst}
		for y := range p.Height {
			copyRow(to, y, pix[y*stride:][:p.Width*from])
		}
		return p
	}
	// pixels copies the first n bytes of every from.
	pixels := func(n, from int) func(to rows, y int, row []byte) {
		return func(to rows, y int, row []byte) {
			out := to.row8(y)
			if n == from {
				copy(out, row)
				return
			}
			for x := range p.Width {
				copy(out[x*n:][:n], row[x*from:])
			}
		}
	}
	swapped := func(n, from int) func(to rows, y int, row []byte) {
		return func(to rows, y int, row []byte) {
			for i := range to.row16(y) {
				at := i/n*from*2 + i%n*2
				to.row16(y)[i] = uint16(row[at])<<8 | uint16(row[at+1])
			}
		}
	}
	alpha := func(opaque bool) {
		if !opaque {
			p.Channels = 4
		}
	}
	switch img := img.(type) {
	case *image.Gray:
		p.Channels = 1
		return each(img.Pix, img.Stride, 1, pixels(1, 1))
	case *image.Gray16:
		p.Channels, p.Depth = 1, 16
		return each(img.Pix, img.Stride, 2, swapped(1, 1))
	case *image.RGBA: // image/png: of 3 channels
		return each(img.Pix, img.Stride, 4, pixels(3, 4))
	case *image.RGBA64:
		p.Depth = 16
		return each(img.Pix, img.Stride, 8, swapped(3, 4))
	case *image.NRGBA:
		alpha(img.Opaque())
		return each(img.Pix, img.Stride, 4, pixels(p.Channels, 4))
	case *image.NRGBA64:
		p.Depth = 16
		alpha(img.Opaque())
		return each(img.Pix, img.Stride, 8, swapped(p.Channels, 4))
	case *image.YCbCr:
		to := rows{Picture: p, bytes: dst}
		for y := range p.Height {
			out := to.row8(y)
			for x := range p.Width {
				i, j := img.YOffset(x+img.Rect.Min.X, y+img.Rect.Min.Y), img.COffset(x+img.Rect.Min.X, y+img.Rect.Min.Y)
				out[3*x], out[3*x+1], out[3*x+2] = color.YCbCrToRGB(img.Y[i], img.Cb[j], img.Cr[j])
			}
		}
		return p
	default: // palettes, CMYK
		all := image.NewNRGBA(image.Rectangle{Max: size})
		draw.Draw(all, all.Rect, img, img.Bounds().Min, draw.Src)
		return unpack(all, dst)
	}
}
