package frame_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/frame"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/pipe"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

const limit = 1 << 20

// encoded is the layout of the package comment, written independently.
func encoded(messages ...[]byte) []byte {
	var b []byte
	for _, m := range messages {
		b = append(b, byte(len(m)), byte(len(m)>>8), byte(len(m)>>16), byte(len(m)>>24))
		b = append(b, m...)
	}
	return b
}

func letters(n int) []byte { return bytes.Repeat([]byte{'a'}, n) }

var traffic = [][]byte{{}, {1}, letters(63), letters(64), letters(100), {}, letters(5000), {2, 3}}

func TestWriterProducesTheDocumentedBytesWhateverItsBuffer(t *testing.T) {
	for _, size := range []int{0, 1, 4, 5, 64, 68, 1 << 16} {
		var out bytes.Buffer
		w := frame.NewWriter(&out, size)
		for _, m := range traffic {
			n, err := w.Write(m)
			require.NoError(t, err)
			assert.Equal(t, len(m), n)
		}
		require.NoError(t, w.Flush())
		assert.Equal(t, encoded(traffic...), out.Bytes(), "buffer of %d bytes", size)
	}
}

func TestReaderReturnsTheMessagesHoweverTheStreamIsCut(t *testing.T) {
	for name, cut := range map[string]func(io.Reader) io.Reader{
		"all at once":            func(r io.Reader) io.Reader { return r },
		"byte by byte":           iotest.OneByteReader,
		"in halves":              iotest.HalfReader,
		"with the end announced": iotest.DataErrReader,
	} {
		for _, size := range []int{0, 1, 7, 1 << 16} {
			r := frame.NewReader(cut(bytes.NewReader(encoded(traffic...))), size, limit)
			for i, want := range traffic {
				got, err := r.Next()
				require.NoError(t, err, "%s, buffer %d, message %d", name, size, i)
				assert.Equal(t, string(want), string(got), "%s, buffer %d, message %d", name, size, i)
			}
			for range 2 {
				_, err := r.Next()
				assert.Equal(t, io.EOF, err, "%s, buffer %d", name, size)
			}
		}
	}
}

// writes remembers each write as it came.
type writes [][]byte

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, bytes.Clone(p))
	return len(p), nil
}

func TestMessagesAreWrittenTogetherWhenTheBufferIsFullAndOnFlush(t *testing.T) {
	var out writes
	w := frame.NewWriter(&out, 3*68)
	for range 7 {
		_, err := w.Write(letters(64))
		require.NoError(t, err)
	}
	require.Len(t, out, 2, "three frames of 68 bytes fit")
	require.NoError(t, w.Flush())
	require.NoError(t, w.Flush(), "nothing is left to write")
	require.Len(t, out, 3)
	assert.Len(t, out[0], 3*68)
	assert.Len(t, out[2], 68)
}

func TestEveryTruncationIsToldFromTheEnd(t *testing.T) {
	stream := encoded([]byte("one"), []byte("two"))
	for n := range len(stream) + 1 {
		r := frame.NewReader(bytes.NewReader(stream[:n]), 0, limit)
		var err error
		for err == nil {
			_, err = r.Next()
		}
		want := io.ErrUnexpectedEOF
		if n%7 == 0 {
			want = io.EOF
		}
		assert.Equal(t, want, err, "after %d bytes", n)
		_, again := r.Next()
		assert.Equal(t, err, again, "the error stays")
	}
}

func TestMessageOverTheLimitIsRefusedAndTheErrorStays(t *testing.T) {
	r := frame.NewReader(bytes.NewReader(encoded(letters(10), letters(11), letters(1))), 0, 10)
	_, err := r.Next()
	require.NoError(t, err)
	for range 2 {
		_, err = r.Next()
		require.ErrorIs(t, err, frame.ErrTooLong)
		assert.ErrorContains(t, err, "11 bytes, the limit is 10")
	}
}

func TestLengthThatIsALieReservesNoMemory(t *testing.T) {
	stream := binary.LittleEndian.AppendUint32(nil, 1<<30)
	stream = append(stream, "only this"...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := frame.NewReader(bytes.NewReader(stream), 64, 1<<30).Next()
	runtime.ReadMemStats(&after)
	assert.Equal(t, io.ErrUnexpectedEOF, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func TestErrorsOfTheStreamComeBackAndStay(t *testing.T) {
	broken := errors.New("broken")
	r := frame.NewReader(io.MultiReader(bytes.NewReader(encoded([]byte("one"))), iotest.ErrReader(broken)), 0, limit)
	_, err := r.Next()
	require.NoError(t, err, "what came before the error is good")
	_, err = r.Next()
	assert.Equal(t, broken, err)

	_, err = frame.NewReader(stuck{}, 0, limit).Next()
	assert.Equal(t, io.ErrNoProgress, err)

	w := frame.NewWriter(stuck{}, 8)
	_, err = w.Write([]byte("1234"))
	require.NoError(t, err)
	assert.Equal(t, io.ErrShortWrite, w.Flush())
	assert.Equal(t, io.ErrShortWrite, w.Flush())
	_, err = w.Write(nil)
	assert.Equal(t, io.ErrShortWrite, err)
}

// stuck takes and gives nothing.
type stuck struct{}

func (stuck) Read([]byte) (int, error)  { return 0, nil }
func (stuck) Write([]byte) (int, error) { return 0, nil }

func TestFramesCrossAPipeOfTheKernel(t *testing.T) {
	in, out, err := pipe.New(0)
	require.NoError(t, err)
	defer in.Close()
	sent := make(chan error)
	go func() {
		w := frame.NewWriter(out, 0)
		for i := range 20000 {
			if _, err := w.Write(letters(i % 300)); err != nil {
				sent <- err
				return
			}
		}
		sent <- errors.Join(w.Flush(), out.Close())
	}()
	r := frame.NewReader(in, 0, limit)
	for i := range 20000 {
		m, err := r.Next()
		require.NoError(t, err)
		require.Len(t, m, i%300)
	}
	_, err = r.Next()
	assert.Equal(t, io.EOF, err)
	require.NoError(t, <-sent)
}

// FuzzReader compares with the obvious decoder over the whole stream in memory.
func FuzzReader(f *testing.F) {
	f.Add(encoded(traffic...), 3)
	f.Add([]byte{255, 255, 255, 255, 0}, 64)
	f.Add([]byte{3, 0, 0, 0, 1}, 1)
	const limit = 1 << 12
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		r := frame.NewReader(iotest.HalfReader(bytes.NewReader(stream)), size%256, limit)
		for rest := stream; ; {
			want, end := []byte(nil), error(nil)
			switch {
			case len(rest) == 0:
				end = io.EOF
			case len(rest) < 4:
				end = io.ErrUnexpectedEOF
			case binary.LittleEndian.Uint32(rest) > limit:
				end = frame.ErrTooLong
			default:
				n := 4 + int(binary.LittleEndian.Uint32(rest))
				if len(rest) < n {
					end = io.ErrUnexpectedEOF
				} else {
					want, rest = rest[4:n], rest[n:]
				}
			}
			got, err := r.Next()
			if !errors.Is(err, end) {
				t.Fatalf("error %v, want %v", err, end)
			}
			if end != nil {
				return
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("message %x, want %x", got, want)
			}
		}
	})
}
