package pipe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pipe"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// newPipe is a pipe that is closed at the end of the test, if it still is open.
func newPipe(t testing.TB, flags int) (*pipe.Reader, *pipe.Writer) {
	t.Helper()
	r, w, err := pipe.New(flags)
	require.NoError(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func TestBytesArriveInOrderAndThenTheEnd(t *testing.T) {
	r, w := newPipe(t, 0)
	n, err := w.Write([]byte("first "))
	require.NoError(t, err)
	assert.Equal(t, 6, n)
	n, err = w.WriteContext(t.Context(), []byte("second"))
	require.NoError(t, err)
	assert.Equal(t, 6, n)
	p := make([]byte, 3)
	for _, want := range []string{"fir", "st ", "sec"} {
		n, err := r.Read(p)
		require.NoError(t, err)
		assert.Equal(t, want, string(p[:n]))
	}
	p = make([]byte, 100)
	n, err = r.ReadContext(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "ond", string(p[:n]), "a read returns what there is")
	require.NoError(t, w.Close())
	for range 2 {
		n, err = r.Read(p)
		assert.Equal(t, io.EOF, err)
		assert.Zero(t, n)
		_, err = r.ReadContext(t.Context(), p)
		assert.Equal(t, io.EOF, err)
	}
}

func TestNothingReadOrWrittenIsNoEnd(t *testing.T) {
	r, w := newPipe(t, 0)
	for _, empty := range [][]byte{nil, {}} {
		for _, f := range []func([]byte) (int, error){
			r.Read, w.Write,
			func(p []byte) (int, error) { return r.ReadContext(t.Context(), p) },
			func(p []byte) (int, error) { return w.WriteContext(t.Context(), p) },
			func(p []byte) (int, error) { return r.Readv([][]byte{p, p}) },
			func(p []byte) (int, error) { return w.Writev([][]byte{p, p}) },
			func([]byte) (int, error) { return r.Readv(nil) },
			func([]byte) (int, error) { return w.Writev(nil) },
			func(p []byte) (int, error) { return w.Vmsplice(p, 0) },
			func([]byte) (int, error) { return pipe.Splice(w.Fd(), r.Fd(), 0, 0) },
		} {
			n, err := f(empty)
			assert.NoError(t, err)
			assert.Zero(t, n)
		}
	}
}

func TestAWriteOfManyTimesTheCapacityIsWrittenWhole(t *testing.T) {
	r, w := newPipe(t, 0)
	sent := bytes.Repeat([]byte("0123456789"), 100_000)
	var writing sync.WaitGroup
	writing.Go(func() {
		for _, write := range []func([]byte) (int, error){
			w.Write,
			func(p []byte) (int, error) { return w.WriteContext(t.Context(), p) },
		} {
			n, err := write(sent)
			assert.NoError(t, err)
			assert.Equal(t, len(sent), n)
		}
		w.Close()
	})
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	writing.Wait()
	assert.True(t, bytes.Equal(got, append(sent, sent...)))
}

func TestAPipeWithoutReadersIsAnErrorAndNoDeath(t *testing.T) {
	r, w := newPipe(t, 0)
	require.NoError(t, r.Close())
	for call, write := range map[string]func([]byte) (int, error){
		"write":    w.Write,
		"writev":   func(p []byte) (int, error) { return w.Writev([][]byte{p}) },
		"vmsplice": func(p []byte) (int, error) { return w.Vmsplice(p, 0) },
	} {
		n, err := write([]byte("x"))
		ipctest.IsSyscallError(t, err, call, unix.EPIPE)
		assert.Zero(t, n)
	}
	_, err := w.WriteContext(t.Context(), []byte("x"))
	ipctest.IsSyscallError(t, err, "write", unix.EPIPE)
}

// Go ends a process whose os.Stdout breaks; a Writer on descriptor 1 tells it.
var _ = ipctest.Role("write to a broken standard output", func([]string) int {
	if _, err := pipe.NewWriter(1).Write([]byte("x")); !errors.Is(err, unix.EPIPE) {
		return 10
	}
	return 5
})

func TestStandardOutputIsAPipeLikeAnyOther(t *testing.T) {
	r, w := newPipe(t, 0)
	require.NoError(t, r.Close())
	cmd := ipctest.Command(t, "write to a broken standard output")
	stdout := os.NewFile(uintptr(w.Fd()), "")
	defer stdout.Close()
	cmd.Stdout = stdout
	cmd.Run()
	assert.Equal(t, 5, cmd.ProcessState.ExitCode())
}

func TestNonBlockingEndsSayWhatTheyCouldDo(t *testing.T) {
	r, w := newPipe(t, unix.O_NONBLOCK)
	size, err := w.SetCapacity(2 * 4096)
	require.NoError(t, err)
	_, err = r.Read(make([]byte, 1))
	ipctest.IsSyscallError(t, err, "read", unix.EAGAIN)

	for _, write := range []func([]byte) (int, error){
		w.Write,
		func(p []byte) (int, error) { return w.WriteContext(t.Context(), p) },
	} {
		n, err := write(make([]byte, size+5000))
		ipctest.IsSyscallError(t, err, "write", unix.EAGAIN)
		assert.Equal(t, size, n, "the part there was room for")
		n, err = write(make([]byte, 1))
		ipctest.IsSyscallError(t, err, "write", unix.EAGAIN)
		assert.Zero(t, n)
		_, err = io.ReadFull(r, make([]byte, 4096))
		require.NoError(t, err)
		_, err = write(make([]byte, 1))
		require.NoError(t, err)
		n, err = write(make([]byte, 4096))
		ipctest.IsSyscallError(t, err, "write", unix.EAGAIN)
		assert.Zero(t, n, "up to PIPE_BUF it is all or nothing")
		_, err = io.ReadFull(r, make([]byte, 4097))
		require.NoError(t, err)
	}
}

func TestInPacketModeAReadReturnsOneWrite(t *testing.T) {
	r, w := newPipe(t, unix.O_DIRECT)
	for _, packet := range []string{"one", "two", "cut off", "last"} {
		_, err := w.Write([]byte(packet))
		require.NoError(t, err)
	}
	p := make([]byte, 100)
	for _, want := range []string{"one", "two"} {
		n, err := r.Read(p)
		require.NoError(t, err)
		assert.Equal(t, want, string(p[:n]))
	}
	n, err := r.Read(p[:3])
	require.NoError(t, err)
	assert.Equal(t, "cut", string(p[:n]))
	n, err = r.Read(p)
	require.NoError(t, err)
	assert.Equal(t, "last", string(p[:n]), "the rest of a packet is thrown away")
}

// Writes records of one letter, each as one write.
func writeRecords(w *pipe.Writer, letter string, size, count int) error {
	record := []byte(strings.Repeat(letter, size))
	for range count {
		if n, err := w.Write(record); err != nil || n != size {
			return errors.Join(err, io.ErrShortWrite)
		}
		runtime.Gosched()
	}
	return nil
}

const atomicRecords = 300

var _ = ipctest.Role("write records", func(args []string) int {
	if err := writeRecords(pipe.NewWriter(1), args[0], len(args[1]), atomicRecords); err != nil {
		return 10
	}
	return 0
})

func TestWritesOfUpToPIPE_BUFAreNeverMixed(t *testing.T) {
	for _, size := range []int{100, 3000, 4096} {
		r, w := newPipe(t, 0)
		var writing sync.WaitGroup
		for _, letter := range []string{"a", "b", "c"} {
			cmd := ipctest.Command(t, "write records", letter, strings.Repeat("x", size))
			// os/exec hands on a copy, and this one stays the Writer's.
			fd, err := unix.FcntlInt(uintptr(w.Fd()), unix.F_DUPFD_CLOEXEC, 0)
			require.NoError(t, err)
			stdout := os.NewFile(uintptr(fd), "")
			cmd.Stdout = stdout
			require.NoError(t, cmd.Start())
			require.NoError(t, stdout.Close())
			writing.Go(func() { assert.NoError(t, cmd.Wait()) })
		}
		for _, letter := range []string{"d", "e", "f"} {
			writing.Go(func() { assert.NoError(t, writeRecords(w, letter, size, atomicRecords)) })
		}
		seen := map[byte]int{}
		record := make([]byte, size)
		for range 6 * atomicRecords {
			_, err := io.ReadFull(r, record)
			require.NoError(t, err)
			require.Equal(t, size, bytes.Count(record, record[:1]), "a record of %q is of one piece", record[0])
			seen[record[0]]++
		}
		writing.Wait()
		assert.Equal(t, map[byte]int{'a': 300, 'b': 300, 'c': 300, 'd': 300, 'e': 300, 'f': 300}, seen)
	}
}

func TestACancelledWriteSaysHowMuchOfItIsInThePipe(t *testing.T) {
	for _, size := range []int{4096, 200_000} {
		for range 100 {
			r, w, err := pipe.New(0)
			require.NoError(t, err)
			_, err = w.SetCapacity(4 * 4096)
			require.NoError(t, err)
			_, err = w.Write(make([]byte, 3*4096+1))
			require.NoError(t, err)
			ctx, cancel := context.WithCancelCause(context.Background())
			go cancel(io.ErrClosedPipe)
			n, err := w.WriteContext(ctx, bytes.Repeat([]byte{1}, size))
			require.Equal(t, io.ErrClosedPipe, err)
			if size <= 4096 {
				require.Zero(t, n)
			}
			require.NoError(t, w.Close())
			got, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, 3*4096+1+n, len(got))
			require.NoError(t, r.Close())
		}
	}
}

func TestEveryBlockingCallEndsWithItsContext(t *testing.T) {
	empty, _ := newPipe(t, 0)
	some, w := newPipe(t, 0)
	_, err := w.Write([]byte("some"))
	require.NoError(t, err)
	_, full := newPipe(t, 0)
	size, err := full.Capacity()
	require.NoError(t, err)
	_, err = full.Write(make([]byte, size))
	require.NoError(t, err)
	for name, call := range map[string]func(ctx context.Context) (int, error){
		"read":         func(ctx context.Context) (int, error) { return empty.ReadContext(ctx, make([]byte, 1)) },
		"readv":        func(ctx context.Context) (int, error) { return empty.ReadvContext(ctx, [][]byte{make([]byte, 1)}) },
		"write":        func(ctx context.Context) (int, error) { return full.WriteContext(ctx, []byte{1}) },
		"writev":       func(ctx context.Context) (int, error) { return full.WritevContext(ctx, [][]byte{{1}}) },
		"vmsplice":     func(ctx context.Context) (int, error) { return full.VmspliceContext(ctx, []byte{1}, 0) },
		"splice":       func(ctx context.Context) (int, error) { return pipe.SpliceContext(ctx, full.Fd(), empty.Fd(), 1, 0) },
		"tee of empty": func(ctx context.Context) (int, error) { return pipe.TeeContext(ctx, full, empty, 1, 0) },
		"tee to full":  func(ctx context.Context) (int, error) { return pipe.TeeContext(ctx, full, some, 1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				ctx, cancel := context.WithCancelCause(context.Background())
				go cancel(io.ErrNoProgress)
				n, err := call(ctx)
				require.Equal(t, io.ErrNoProgress, err)
				require.Zero(t, n)
			}
		})
	}
}

func TestAnEndIsClosedOnce(t *testing.T) {
	r, w := newPipe(t, 0)
	assert.Contains(t, r.String(), "pipe end")
	for _, end := range []interface {
		Close() error
		Fd() int
	}{r, w} {
		flags, err := unix.FcntlInt(uintptr(end.Fd()), unix.F_GETFD, 0)
		require.NoError(t, err)
		assert.Equal(t, unix.FD_CLOEXEC, flags, "no program inherits it by accident")
		require.NoError(t, end.Close())
		ipctest.IsSyscallError(t, end.Close(), "close", unix.EBADF)
		assert.Equal(t, -1, end.Fd())
	}
	_, err := r.Read(make([]byte, 1))
	ipctest.IsSyscallError(t, err, "read", unix.EBADF)
	_, err = w.Write(nil)
	ipctest.IsSyscallError(t, err, "write", unix.EBADF)
	_, err = w.AtomicSize()
	ipctest.IsSyscallError(t, err, "fpathconf", unix.EBADF)
	_, err = w.Capacity()
	ipctest.IsSyscallError(t, err, "fcntl", unix.EBADF)
	_, err = r.Buffered()
	ipctest.IsSyscallError(t, err, "ioctl", unix.EBADF)
}

func TestNewFailsAsPipe2Does(t *testing.T) {
	_, _, err := pipe.New(unix.O_APPEND)
	ipctest.IsSyscallError(t, err, "pipe2", unix.EINVAL)
}
