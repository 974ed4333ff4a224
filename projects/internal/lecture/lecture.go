// Package lecture is what the lecture's programs share: lines to and from a terminal,
// and the key of a System V object. ref/lecture.h has that for C.
package lecture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/marks"
)

// Say prints at once, as a C program at a terminal does. The error is of standard output.
func Say(format string, args ...any) error {
	_, err := fmt.Fprintf(os.Stdout, format, args...)
	return err
}

// Strerror is the text of strerror(3) for the errno in an error.
func Strerror(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// Input is lines that are typed.
type Input struct {
	lines chan string
	err   error // once lines is closed
}

// NewInput begins to read lines.
func NewInput(r io.Reader) *Input {
	in := &Input{lines: make(chan string), err: io.EOF}
	go func() {
		scanner := bufio.NewScanner(r)
		for scanner.Scan() {
			in.lines <- scanner.Text()
		}
		if err := scanner.Err(); err != nil {
			in.err = fmt.Errorf("standard input: %w", err)
		}
		close(in.lines)
	}()
	return in
}

// Line is the next line, without its end. Errors: [io.EOF], the cause of ctx.
func (in *Input) Line(ctx context.Context) (string, error) {
	select {
	case line, ok := <-in.lines:
		if !ok {
			return "", in.err
		}
		return line, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// MakeQueue makes the queue of a key, or finds it, and marks it as [marks.Share] does. When
// only the mark fails, the queue comes with the error.
func MakeQueue(scope string, key sysvmq.Key) (q *sysvmq.Queue, mark *marks.Mark, err error) {
	for {
		q, err = sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
		made := err == nil
		if errors.Is(err, fs.ErrExist) {
			q, err = sysvmq.Get(key, 0)
		}
		if err == nil {
			mark, err = marks.Share(scope, marks.Queue, key.String(), q.ID(), made)
			return q, mark, err
		} else if !errors.Is(err, fs.ErrNotExist) { // it was removed meanwhile
			return nil, nil, err
		}
	}
}

// KeyFlag adds the flag --key to a program; what it returns is to be called after the
// flags are read. Without the flag the key is ftok's, of the folder that the program is
// started in and the number of the program in the lecture.
func KeyFlag(p *cli.Program, number int) func() (sysvmq.Key, error) {
	text := p.String("key", "", fmt.Sprintf("the `key` of the object (default: ftok of the current directory and %d)", number))
	return func() (sysvmq.Key, error) {
		if !p.Changed("key") {
			return sysvmq.Ftok(".", number)
		}
		n, err := strconv.ParseUint(*text, 0, 32)
		if err != nil || n == 0 {
			p.BadUsage("--key %s: not a number of 32 bits, or 0, which is no key", *text)
		}
		return sysvmq.Key(int32(uint32(n))), nil
	}
}
