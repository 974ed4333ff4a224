package p02fifo

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recording is a framing that keeps what it was told.
func recording(said *[]string) *framing {
	say := func(what string) func([]byte) {
		return func(b []byte) { *said = append(*said, what+string(b)) }
	}
	return &framing{line: say(""), refuse: say("refused "), tooLong: func() { say("too long")(nil) }}
}

func TestFraming(t *testing.T) {
	long := strings.Repeat("9", MaxRequestBytes)
	// A chunk ends in "|" where the FIFO was empty behind it.
	for _, c := range []struct {
		name   string
		chunks []string
		want   []string
	}{
		{"a line", []string{"1:2\n|"}, []string{"1:2"}},
		{"several lines at once", []string{"1:2\n3:4\n5:6\n|"}, []string{"1:2", "3:4", "5:6"}},
		{"a line over the end of the buffer", []string{"1:2\n3:", "4\n|"}, []string{"1:2", "3:4"}},
		{"a line in two writes", []string{"1:2 +|", " 3\n|"}, []string{"1:2 + 3"}},
		{"a line in many writes", []string{"1|", ":2|", " + 3|", "\n|"}, []string{"1:2 + 3"}},
		{"a request behind half a line", []string{"1:2 +|", "3:4\n|"}, []string{"refused 1:2 +", "3:4"}},
		{"half a pid does not change the next one", []string{"1|", "23:4\n|"}, []string{"refused 1", "23:4"}},
		{"a request behind half a line, if nobody knows whose is whose", []string{"1:2 +3:4\n|"}, []string{"1:2 +3:4"}},
		{"only the first request is at stake", []string{"1:2 +3:4\n5:6\n|"}, []string{"1:2 +3:4", "5:6"}},
		{"a line too long", []string{"1:" + long + "\n3:4\n|"}, []string{"too long", "3:4"}},
		{"a line too long in pieces", []string{"1:" + long, long, "\n3:4\n|"}, []string{"too long", "3:4"}},
		{"a line that becomes too long by its end", []string{long[:4000] + "|", long[:100] + "\n3:4\n|"}, []string{"too long", "3:4"}},
		{"a request behind a line too long", []string{long + "|", "3:4\n|"}, []string{"too long", "3:4"}},
		{"what looks like a request and is too long", []string{"1|", "3:" + long + "\n5:6\n|"}, []string{"too long", "5:6"}},
		{"the longest line", []string{long[1:] + "\n|"}, []string{long[1:]}},
		{"the longest line in pieces", []string{long[1:4000] + "|", long[4000:] + "\n|"}, []string{long[1:]}},
		{"empty lines", []string{"\n\n|"}, []string{"", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said []string
			f := recording(&said)
			for _, chunk := range c.chunks {
				text, drained := strings.CutSuffix(chunk, "|")
				f.feed([]byte(text), drained)
			}
			assert.Equal(t, c.want, said)
		})
	}
}

// FuzzFraming checks that it makes no difference where reads end in a stream
// that never ran dry, and that no line is longer than a request.
func FuzzFraming(f *testing.F) {
	f.Add([]byte("1:2\n3:4\n"), uint16(3))
	f.Add(bytes.Repeat([]byte("1:"), 2100), uint16(999))
	f.Fuzz(func(t *testing.T, stream []byte, size uint16) {
		stream = append(stream, '\n')
		var whole, pieces []string
		recording(&whole).feed(stream, true)
		p := recording(&pieces)
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), int(size)+1)
			p.feed(rest[:n], n == len(rest))
			rest = rest[n:]
		}
		require.Equal(t, whole, pieces, fmt.Sprintf("reads of %d bytes", int(size)+1))
		for _, line := range whole {
			require.Less(t, len(line), MaxRequestBytes)
		}
	})
}
