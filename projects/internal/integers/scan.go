package integers

import (
	"bytes"
	"fmt"
	"math"
)

// Error is bad input.
type Error struct {
	File string
	Line int // from 1
	Text string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text) }

// scanner takes a text in blocks, which may be cut anywhere.
type scanner struct {
	numbers []int32
	line    int // ends of lines in the blocks before
	// A number that is being read, where a block has ended inside of it.
	state state
	minus bool
	value int64 // without the sign; stays over the range once it is
}

type state uint8

const (
	between state = iota
	signed        // behind the sign, before any digit
	inside        // behind a digit
)

// feed takes the next block. The error has no file, and its text is what the block still
// has of the thing.
func (s *scanner) feed(block []byte) *Error {
	at := 0
	for at < len(block) {
		if len(s.numbers) == cap(s.numbers) {
			// A number takes at least two bytes, but for the one that the block before began.
			s.reserve((len(block)-at)/2 + 1)
		}
		if s.state == between {
			if at += s.quick(block[at:]); at == len(block) {
				break
			}
		}
		var wrong string
		if at, wrong = s.byte(block, at); wrong != "" {
			return &Error{Line: 1 + s.line + bytes.Count(block[:at], []byte{'\n'}), Text: wrong}
		}
	}
	s.line += bytes.Count(block, []byte{'\n'})
	return nil
}

// reserve makes room for n numbers more.
func (s *scanner) reserve(n int) {
	if n > cap(s.numbers)-len(s.numbers) {
		more := Room(max(len(s.numbers)+n, 2*cap(s.numbers)))
		s.numbers = more[:copy(more, s.numbers)]
	}
}

// end takes the end of the text.
func (s *scanner) end() *Error {
	wrong := ""
	switch s.state {
	case signed:
		wrong = notANumber([]byte(s.sign()))
	case inside:
		wrong = s.finish()
	}
	if wrong != "" {
		return &Error{Line: 1 + s.line, Text: wrong}
	}
	return nil
}

// byte goes on by one byte of the text, or stays before the one that is wrong.
func (s *scanner) byte(block []byte, at int) (next int, wrong string) {
	c := block[at]
	digit := c - '0'
	switch {
	case digit <= 9:
		if s.state == between {
			s.minus = false
		}
		s.state = inside
		s.value = min(s.value*10+int64(digit), math.MaxInt32+2)
	case s.state == inside:
		// The byte is looked at again, now as what may begin a number.
		return at, s.finish()
	case s.state == between && (c == '-' || c == '+'):
		s.state, s.minus = signed, c == '-'
	case s.state == between && isSpace(c):
	case s.state == signed:
		return at, notANumber(append([]byte(s.sign()), block[at:]...))
	default:
		return at, notANumber(block[at:])
	}
	return at + 1, ""
}

func (s *scanner) sign() string {
	if s.minus {
		return "-"
	}
	return "+"
}

// finish adds the number that has ended.
func (s *scanner) finish() string {
	v := s.value
	if s.minus {
		v = -v
	}
	s.state, s.value = between, 0
	if v != int64(int32(v)) {
		return outOfRange
	}
	s.numbers = append(s.numbers, int32(v))
	return ""
}

func isSpace(c byte) bool { return c == ' ' || c-'\t' < 5 }

const outOfRange = "the number is not from -2147483648 to 2147483647"

// longestWord is how many bytes of what is no number are shown.
const longestWord = 20

// notANumber says so of what text begins with.
func notANumber(text []byte) string {
	var shown []byte
	for i, c := range text {
		if isSpace(c) {
			break
		}
		if i == longestWord {
			shown = append(shown, "..."...)
			break
		}
		if c < ' ' || c > '~' {
			c = '?'
		}
		shown = append(shown, c)
	}
	return `"` + string(shown) + `" is not a number`
}
