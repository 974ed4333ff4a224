package p02fifo

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/pipe"
)

func TestReplyPath(t *testing.T) {
	assert.Equal(t, "/tmp/calc_client_12345", ReplyPath(DefaultPath, 12345))
	assert.Equal(t, "calc_client_7", ReplyPath("calc", 7))
	assert.Equal(t, "a/calc_client_7", ReplyPath("a/calc", 7))
}

func TestRequest(t *testing.T) {
	line, err := Request(12345, "5 + 3")
	require.NoError(t, err)
	assert.Equal(t, "12345:5 + 3\n", string(line))

	t.Run("what would be two requests is not sent", func(t *testing.T) {
		for operation, want := range map[string]CalcError{
			"1\n2:3": `unexpected '\x0a' at 2`,
			"12:30":  "unexpected ':' at 3",
		} {
			_, err := Request(1, operation)
			assert.Equal(t, want, err)
		}
	})
	t.Run("the longest request is what the kernel writes at once", func(t *testing.T) {
		r, w, err := pipe.New(0)
		require.NoError(t, err)
		defer r.Close()
		defer w.Close()
		atomic, err := w.AtomicSize()
		require.NoError(t, err)
		assert.Equal(t, MaxRequestBytes, atomic)

		line, err := Request(1, strings.Repeat("1", MaxRequestBytes-3))
		require.NoError(t, err)
		assert.Len(t, line, MaxRequestBytes)
		_, err = Request(1, strings.Repeat("1", MaxRequestBytes-2))
		assert.ErrorContains(t, err, "4097 bytes")
	})
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       request
		err        error
	}{
		{"a request", "12345:5 + 3", request{12345, "5 + 3"}, nil},
		{"nothing to calculate", "1:", request{1, ""}, nil},
		{"a colon that ends no number", "1:2 : 3", request{1, "2 : 3"}, nil},
		{"the largest pid", "2147483647:1", request{2147483647, "1"}, nil},
		{"a pid too large", "2147483648:1", request{}, errNoRequest},
		{"a pid of many digits", "99999999999999999999999:1", request{}, errNoRequest},
		{"no pid", ":1", request{}, errNoRequest},
		{"no colon", "12345", request{}, errNoRequest},
		{"an empty line", "", request{}, errNoRequest},
		{"pid 0", "0:1", request{}, errNoRequest},
		{"a leading zero", "01:1", request{}, errNoRequest},
		{"a negative pid", "-1:1", request{}, errNoRequest},
		{"a sign", "+1:1", request{}, errNoRequest},
		{"a blank", " 1:1", request{}, errNoRequest},
		{"a path", "1/../2:1", request{}, errNoRequest},
		{"junk behind the pid", "1x:1", request{}, errNoRequest},
		{"two requests in one", "1:2 +33:4 * 4", request{}, errGlued},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse([]byte(c.line))
			assert.Equal(t, c.err, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestShow(t *testing.T) {
	assert.Equal(t, "5 + 3 ~", show("5 + 3 ~"))
	assert.Equal(t, `\x1b[2J\x09\x00\x7f\xc3\x97\\`, show("\x1b[2J\t\x00\x7f×\\"))
}
