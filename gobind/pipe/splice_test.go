package pipe_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pipe"
)

func readAll(t *testing.T, r *pipe.Reader, w *pipe.Writer) string {
	t.Helper()
	require.NoError(t, w.Close())
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(got)
}

func TestVectorsAreGatheredAndScattered(t *testing.T) {
	r, w := newPipe(t, 0)
	n, err := w.Writev([][]byte{[]byte("ab"), nil, []byte("cdefg"), {}, []byte("h")})
	require.NoError(t, err)
	assert.Equal(t, 8, n)
	bufs := [][]byte{{}, make([]byte, 3), nil, make([]byte, 1), make([]byte, 100)}
	n, err = r.Readv(bufs)
	require.NoError(t, err)
	assert.Equal(t, 8, n)
	assert.Equal(t, "abc", string(bufs[1]))
	assert.Equal(t, "d", string(bufs[3]))
	assert.Equal(t, "efgh", string(bufs[4][:4]))

	many := make([][]byte, 1025)
	for i := range many {
		many[i] = []byte{byte(i)}
	}
	_, err = w.Writev(many)
	ipctest.IsSyscallError(t, err, "writev", unix.EINVAL)
	n, err = w.Writev(many[:1024])
	require.NoError(t, err)
	assert.Equal(t, 1024, n)
	_, err = r.Readv(many)
	ipctest.IsSyscallError(t, err, "readv", unix.EINVAL)
	require.Equal(t, string(bytes.Join(many[:1024], nil)), readAll(t, r, w))
	_, err = r.Readv(many[:1])
	assert.Equal(t, io.EOF, err)
}

func TestSpliceMovesBytesBetweenFilesAndPipes(t *testing.T) {
	text := strings.Repeat("moved without a copy\n", 1000)
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	r1, w1 := newPipe(t, 0)
	r2, w2 := newPipe(t, 0)
	for moved := 0; ; {
		n, err := pipe.Splice(w1.Fd(), int(file.Fd()), 1<<20, unix.SPLICE_F_MOVE)
		if err == io.EOF {
			assert.Equal(t, len(text), moved)
			break
		}
		require.NoError(t, err)
		moved += n
	}
	n, err := pipe.Splice(w2.Fd(), r1.Fd(), 5, 0)
	require.NoError(t, err)
	assert.Equal(t, 5, n)
	assert.Equal(t, text[:5], readAll(t, r2, w2))
	assert.Equal(t, text[5:], readAll(t, r1, w1), "what was moved has gone")

	out, err := os.Create(name + ".copy")
	require.NoError(t, err)
	defer out.Close()
	_, err = pipe.Splice(int(out.Fd()), int(file.Fd()), 1, 0)
	ipctest.IsSyscallError(t, err, "splice", unix.EINVAL)
	r3, w3 := newPipe(t, 0)
	_, err = pipe.Splice(int(out.Fd()), r3.Fd(), 1, unix.SPLICE_F_NONBLOCK)
	ipctest.IsSyscallError(t, err, "splice", unix.EAGAIN)
	_, err = w3.Write([]byte("to a file"))
	require.NoError(t, err)
	n, err = pipe.Splice(int(out.Fd()), r3.Fd(), 100, 0)
	require.NoError(t, err)
	assert.Equal(t, 9, n)
	got, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	assert.Equal(t, "to a file", string(got))
}

func TestTeeLeavesTheBytesWhereTheyWere(t *testing.T) {
	r1, w1 := newPipe(t, 0)
	r2, w2 := newPipe(t, 0)
	_, err := w1.Write([]byte("for both"))
	require.NoError(t, err)
	n, err := pipe.Tee(w2, r1, 100, 0)
	require.NoError(t, err)
	assert.Equal(t, 8, n)
	_, err = pipe.Tee(w1, r1, 100, 0)
	ipctest.IsSyscallError(t, err, "tee", unix.EINVAL)
	assert.Equal(t, "for both", readAll(t, r1, w1))
	_, err = pipe.Tee(w2, r1, 100, 0)
	assert.Equal(t, io.EOF, err)
	assert.Equal(t, "for both", readAll(t, r2, w2))
}

func TestVmspliceGivesTheMemoryItselfToThePipe(t *testing.T) {
	memory, err := unix.Mmap(-1, 0, 8*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	require.NoError(t, err)
	defer unix.Munmap(memory)
	copy(memory, "before")
	r, w := newPipe(t, 0)
	_, err = w.SetCapacity(4 * os.Getpagesize())
	require.NoError(t, err)
	n, err := w.Vmsplice(memory, unix.SPLICE_F_NONBLOCK)
	require.NoError(t, err)
	assert.Equal(t, 4*os.Getpagesize(), n, "as much as there is room for")
	_, err = w.Vmsplice(memory, unix.SPLICE_F_NONBLOCK)
	ipctest.IsSyscallError(t, err, "vmsplice", unix.EAGAIN)
	copy(memory, "after ")
	got := readAll(t, r, w)
	assert.Len(t, got, n)
	assert.Equal(t, "after ", got[:6], "nothing was copied")
}
