package p14mmapdb

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// AppendText appends a key or a value in the form of the lines that scan prints and insert
// reads: a backslash is \\, and bytes below 0x20, and 0x7f, are \xNN.
func AppendText(to, b []byte) []byte {
	for _, c := range b {
		switch {
		case c == '\\':
			to = append(to, `\\`...)
		case c < ' ' || c == 0x7f:
			to = fmt.Appendf(to, `\x%02x`, c)
		default:
			to = append(to, c)
		}
	}
	return to
}

var errEscape = errors.New(`only \\ and \xNN may follow a backslash`)

// ParseText is what [AppendText] was given.
func ParseText(text []byte) ([]byte, error) {
	if bytes.IndexByte(text, '\\') < 0 {
		return text, nil
	}
	var b []byte
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b = append(b, text[i])
			continue
		}
		rest := text[i+1:]
		switch {
		case len(rest) > 0 && rest[0] == '\\':
			b = append(b, '\\')
			i++
		case len(rest) > 2 && rest[0] == 'x':
			n, err := strconv.ParseUint(string(rest[1:3]), 16, 8)
			if err != nil {
				return nil, errEscape
			}
			b = append(b, byte(n))
			i += 3
		default:
			return nil, errEscape
		}
	}
	return b, nil
}

// Lines are records, a line each: key, TAB, value, in the form of [AppendText].
type Lines struct {
	name string
	in   *bufio.Reader
	line int
}

// NewLines reads lines; name is for errors.
func NewLines(name string, in io.Reader) *Lines {
	return &Lines{name: name, in: bufio.NewReaderSize(in, 1<<16)}
}

// Next is the next record, good until the next call. At the end the error is io.EOF.
func (l *Lines) Next() (key, value []byte, err error) {
	line, err := l.read()
	if err != nil {
		return nil, nil, err
	}
	l.line++
	k, v, tab := bytes.Cut(line, []byte{'\t'})
	switch {
	case !tab:
		err = errors.New("no TAB between key and value")
	default:
		if key, err = ParseText(k); err == nil {
			value, err = ParseText(v)
		}
		if err == nil {
			err = checkKey(key)
		}
		if err == nil && len(value) > MaxValue {
			err = ErrValueLength
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s:%d: %w", l.name, l.line, err)
	}
	return key, value, nil
}

// read is a line without its end.
func (l *Lines) read() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			if len(long) > 4*(MaxKey+MaxValue)+2 {
				return nil, fmt.Errorf("%s:%d: %w", l.name, l.line+1, ErrValueLength)
			}
			line, err = l.in.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, err
	}
	return bytes.TrimSuffix(line, []byte{'\n'}), nil
}

// ParseSize reads 1000, 64KB, 1MB or 1MiB: here a K is 1024. The result is a multiple of a page.
func ParseSize(text string) (int64, error) {
	digits := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(text), "B"), "I")
	scale := int64(1)
	for i, suffix := range []string{"K", "M", "G", "T"} {
		if d, ok := strings.CutSuffix(digits, suffix); ok {
			digits, scale = d, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > temporary*pageSize/scale {
		return 0, fmt.Errorf("%q is no size from 1 byte to 8TB", text)
	}
	return (n*scale + pageSize - 1) / pageSize * pageSize, nil
}

// SizeText is 100MB for 104857600.
func SizeText(n int64) string {
	for _, unit := range []struct {
		shift int
		name  string
	}{{40, "TB"}, {30, "GB"}, {20, "MB"}, {10, "KB"}} {
		if n > 0 && n%(1<<unit.shift) == 0 {
			return strconv.FormatInt(n>>unit.shift, 10) + unit.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}
