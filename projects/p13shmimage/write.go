package p13shmimage

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// JPEGQuality is that of what is written as JPEG, of 100.
const JPEGQuality = 95

// IsJPEG says by a file's name whether JPEG is to be written; else it is PNG.
func IsJPEG(name string) (bool, error) {
	switch ext := strings.ToLower(filepath.Ext(name)); ext {
	case ".png":
		return false, nil
	case ".jpg", ".jpeg":
		return true, nil
	default:
		return false, fmt.Errorf("%s: the name of the output must end in .png, .jpg or .jpeg", name)
	}
}

// replace writes a file so that it is the old one or the new one, never half of either.
// What is no regular file is written to as it is.
func replace(name string, write func(io.Writer) error) (err error) {
	part := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".part")
	st, statErr := os.Stat(name)
	inPlace := statErr == nil && !st.Mode().IsRegular()
	if inPlace {
		part = name
	}
	f, err := os.Create(part)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = errors.Join(write(w), w.Flush())
	err = errors.Join(err, f.Close())
	if inPlace {
		return err
	}
	if err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		os.Remove(part)
	}
	return err
}

// writeJPEG needs the result once more in memory.
func (s *shared) writeJPEG(w io.Writer) error {
	out := rows{Picture: s.filter.Result(s.in), bytes: s.result}
	options := &jpeg.Options{Quality: JPEGQuality}
	sample := func(y, i int) byte {
		if out.Depth == 16 {
			return byte((uint32(out.row16(y)[i])*255 + 32767) / 65535)
		}
		return out.row8(y)[i]
	}
	all := image.Rect(0, 0, out.Width, out.Height)
	if out.Channels == 1 {
		img := image.NewGray(all)
		for y := range out.Height {
			for x := range out.Width {
				img.Pix[y*img.Stride+x] = sample(y, x)
			}
		}
		return jpeg.Encode(w, img, options)
	}
	img := image.NewRGBA(all)
	for y := range out.Height {
		for x := range out.Width {
			for c := range 3 {
				img.Pix[y*img.Stride+4*x+c] = sample(y, 3*x+c)
			}
			img.Pix[y*img.Stride+4*x+3] = 255
		}
	}
	return jpeg.Encode(w, img, options)
}
