package integers

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

const (
	chunkNumbers = 64 << 10
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

// fourDigits are the texts 0000 to 9999.
var fourDigits = func() (texts [10000][4]byte) {
	for i := range texts {
		texts[i] = [4]byte{byte('0' + i/1000), byte('0' + i/100%10), byte('0' + i/10%10), byte('0' + i%10)}
	}
	return texts
}()

// format writes the lines of numbers to text, which has 8 bytes more than they can take.
func format(text []byte, numbers []int32) int {
	at := 0
	var head [8]byte // sign and digits before the last four
	headOf, headBytes := int32(0), 0
	for _, number := range numbers {
		rest := number % 10000
		upper := number / 10000
		if upper == 0 {
			at += len(strconv.AppendInt(text[at:at], int64(number), 10))
			text[at] = '\n'
			at++
			continue
		}
		if upper != headOf {
			headOf, headBytes = upper, len(strconv.AppendInt(head[:0], int64(upper), 10))
		}
		if rest < 0 {
			rest = -rest
		}
		binary.NativeEndian.PutUint64(text[at:], binary.NativeEndian.Uint64(head[:]))
		at += headBytes
		line := text[at : at+5]
		*(*[4]byte)(line) = fourDigits[rest]
		line[4] = '\n'
		at += 5
	}
	return at
}
