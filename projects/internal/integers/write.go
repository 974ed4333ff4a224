package integers

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

const (
	chunkNumbers = 16 << 10
	longestLine  = len("-2147483648\n")
)

// Write writes sorted numbers, one a line, to a file, which is afterwards the old one or
// the new one, never half of either; "-" is standard output. What is no regular file is
// written to as it is. signals is asked for a context when there is a file that the end of
// that context has to remove. Errors: *fs.PathError, the cause of the context.
func Write(name string, numbers []int32, signals func() context.Context) (err error) {
	if name == "-" {
		return writeText(context.Background(), os.Stdout, numbers)
	}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	st, statErr := os.Stat(name)
	if statErr == nil && !st.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(writeText(context.Background(), f, numbers), f.Close())
	}
	ctx := signals()
	part := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".part")
	f, err := os.Create(part)
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			at.Path = name // the one that the user knows
		}
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(part)
		}
	}()
	if statErr == nil {
		err = f.Chmod(st.Mode().Perm())
	}
	if err = errors.Join(err, writeText(ctx, f, numbers), f.Close()); err != nil {
		return err
	}
	return os.Rename(part, name)
}

// writeText converts chunks with all processors and writes them in their order.
func writeText(ctx context.Context, w io.Writer, numbers []int32) error {
	chunks := (len(numbers) + chunkNumbers - 1) / chunkNumbers
	lanes := make([]struct{ text, free chan []byte }, min(runtime.GOMAXPROCS(0), max(chunks, 1)))
	stop := make(chan struct{})
	defer close(stop)
	for i := range lanes {
		lane := &lanes[i]
		lane.text, lane.free = make(chan []byte), make(chan []byte, 2)
		lane.free <- make([]byte, chunkNumbers*longestLine+8)
		lane.free <- make([]byte, chunkNumbers*longestLine+8)
		go func() {
			for c := i; c < chunks; c += len(lanes) {
				var buffer []byte
				select {
				case buffer = <-lane.free:
				case <-stop:
					return
				}
				n := format(buffer, numbers[c*chunkNumbers:min((c+1)*chunkNumbers, len(numbers))])
				select {
				case lane.text <- buffer[:n]:
				case <-stop:
					return
				}
			}
		}()
	}
	for c := range chunks {
		lane := &lanes[c%len(lanes)]
		text := <-lane.text
		if _, err := w.Write(text); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		lane.free <- text[:cap(text)]
	}
	return nil
}

// fourDigits are the texts 0000 to 9999, the first byte lowest.
type fourDigits [10000]uint32

var textsOfFour = sync.OnceValue(func() *fourDigits {
	var texts fourDigits
	for i := range texts {
		texts[i] = uint32(i/1000 + i/100%10<<8 + i/10%10<<16 + i%10<<24 + '0'*eachOfFour)
	}
	return &texts
})

// format writes the lines of numbers to text, which has 8 bytes more than they can take.
// Neighbours in sorted order have all but the last four digits in common, mostly.
func format(text []byte, numbers []int32) int {
	const none = math.MinInt64 / 2 // far from every number
	texts := textsOfFour()
	at := 0
	head, headBytes := uint64(0), 0     // the sign and the digits before the last four
	base, sign := int64(none), int64(0) // the number with zeros for those four; -1 for a minus
	for _, number := range numbers {
		rest := uint64((int64(number)-base)^sign) - uint64(sign)
		if rest >= uint64(len(texts)) {
			base = int64(number / 10000 * 10000)
			if base == 0 {
				word, length := texts.number(number)
				base = none
				binary.LittleEndian.PutUint64(text[at:], word|'\n'<<(8*length))
				at += length + 1
				continue
			}
			sign = int64(number >> 31)
			head, headBytes = texts.number(number / 10000)
			rest = uint64((int64(number)-base)^sign) - uint64(sign)
		}
		binary.LittleEndian.PutUint64(text[at:], head)
		at += headBytes
		binary.LittleEndian.PutUint64(text[at:], uint64(texts[rest])|'\n'<<32)
		at += len("1234\n")
	}
	return at
}

// number is the text of a number of seven bytes at most, sign included.
func (t *fourDigits) number(n int32) (word uint64, length int) {
	sign := n >> 31
	n = (n ^ sign) - sign
	word = uint64(t[n/10000]) | uint64(t[n%10000])<<32
	zeros := bits.TrailingZeros64(word^'0'*eachByte|1<<56) / 8 // before it; the last digit is none of them
	word, length = word>>(8*zeros), 8-zeros
	if sign != 0 {
		return word<<8 | '-', length + 1
	}
	return word, length
}
