package fifo_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/pipe"
)

// opening is an OpenReader or OpenWriter under way.
type opening[End any] struct {
	end  End
	err  error
	done chan struct{}
}

func start[End any](open func(context.Context, string, int) (End, error), ctx context.Context, path string) *opening[End] {
	o := &opening[End]{done: make(chan struct{})}
	go func() {
		defer close(o.done)
		o.end, o.err = open(ctx, path, 0)
	}()
	return o
}

// waits says that the open has not come back.
func (o *opening[End]) waits() bool {
	select {
	case <-o.done:
		return false
	default:
		return true
	}
}

func TestOpensWaitForEachOther(t *testing.T) {
	path := newFIFO(t)
	for _, readerFirst := range []bool{true, false} {
		var r *opening[*pipe.Reader]
		var w *opening[*pipe.Writer]
		if readerFirst {
			r = start(fifo.OpenReader, t.Context(), path)
			ipctest.Asleep(t, unix.SYS_OPENAT, 1)
			assert.True(t, r.waits())
			w = start(fifo.OpenWriter, t.Context(), path)
		} else {
			w = start(fifo.OpenWriter, t.Context(), path)
			ipctest.Asleep(t, unix.SYS_OPENAT, 1)
			assert.True(t, w.waits())
			r = start(fifo.OpenReader, t.Context(), path)
		}
		<-r.done
		<-w.done
		require.NoError(t, r.err)
		require.NoError(t, w.err)
		_, err := w.end.Write([]byte("hello"))
		require.NoError(t, err)
		require.NoError(t, w.end.Close())
		got, err := io.ReadAll(r.end)
		require.NoError(t, err)
		assert.Equal(t, "hello", string(got))
		require.NoError(t, r.end.Close())
	}
}

func TestNonBlockingOpens(t *testing.T) {
	path := newFIFO(t)
	_, err := fifo.OpenWriter(t.Context(), path, unix.O_NONBLOCK)
	ipctest.IsPathError(t, err, "open", path, unix.ENXIO)
	r, err := fifo.OpenReader(t.Context(), path, unix.O_NONBLOCK)
	require.NoError(t, err, "a reader need not wait")
	defer r.Close()
	_, err = r.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err, "no writer yet looks like the end")
	w, err := fifo.OpenWriter(t.Context(), path, unix.O_NONBLOCK)
	require.NoError(t, err, "now there is a reader")
	defer w.Close()
	_, err = r.Read(make([]byte, 1))
	assert.ErrorIs(t, err, unix.EAGAIN)
	_, err = w.Write([]byte("x"))
	require.NoError(t, err)
	n, err := r.Read(make([]byte, 10))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}

func TestEndsAreCloseOnExec(t *testing.T) {
	path := newFIFO(t)
	r, err := fifo.OpenReadWriter(path, 0)
	require.NoError(t, err)
	defer r.Close()
	w, err := fifo.OpenWriter(t.Context(), path, 0)
	require.NoError(t, err)
	defer w.Close()
	for _, fd := range []int{r.Fd(), w.Fd()} {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		require.NoError(t, err)
		assert.Equal(t, unix.FD_CLOEXEC, flags)
	}
}

func TestAReaderThatIsAWriterNeverSeesTheEnd(t *testing.T) {
	path := newFIFO(t)
	r, err := fifo.OpenReadWriter(path, 0)
	require.NoError(t, err)
	defer r.Close()
	for range 3 {
		w, err := fifo.OpenWriter(t.Context(), path, 0)
		require.NoError(t, err)
		_, err = w.Write([]byte("client"))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		p := make([]byte, 100)
		n, err := r.Read(p)
		require.NoError(t, err)
		assert.Equal(t, "client", string(p[:n]))
		require.NoError(t, unix.SetNonblock(r.Fd(), true))
		_, err = r.Read(p)
		assert.ErrorIs(t, err, unix.EAGAIN, "the last client is gone, and it is not the end")
		require.NoError(t, unix.SetNonblock(r.Fd(), false))
	}
}

func TestOnlyAFIFOIsOpened(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, fifo.Make(file("fifo"), 0o600))
	require.NoError(t, os.Symlink("fifo", file("link")))
	require.NoError(t, os.Symlink("nowhere", file("dangling")))
	require.NoError(t, os.WriteFile(file("file"), []byte("precious"), 0o600))
	l, err := net.Listen("unix", file("socket"))
	require.NoError(t, err)
	defer l.Close()
	for path, errno := range map[string]syscall.Errno{
		file("link"):     unix.ELOOP,
		file("dangling"): unix.ELOOP,
		file("file"):     unix.EINVAL,
		file("socket"):   unix.EINVAL,
		dir:              unix.EINVAL,
		"/dev/null":      unix.EINVAL,
		file("none"):     unix.ENOENT,
		file("a\x00b"):   unix.EINVAL,
	} {
		_, err := fifo.OpenReader(t.Context(), path, 0)
		ipctest.IsPathError(t, err, "open", path, errno)
		_, err = fifo.OpenWriter(t.Context(), path, 0)
		ipctest.IsPathError(t, err, "open", path, errno)
		_, err = fifo.OpenReadWriter(path, 0)
		ipctest.IsPathError(t, err, "open", path, errno)
	}
	got, err := os.ReadFile(file("file"))
	require.NoError(t, err)
	assert.Equal(t, "precious", string(got))
}

func TestANameThatChangesHandsNeverOpensAnythingElse(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, fifo.Make(file("fifo"), 0o600))
	require.NoError(t, os.WriteFile(file("file"), nil, 0o600))
	require.NoError(t, os.Symlink("file", file("link")))
	path := file("name")
	stop := make(chan struct{})
	var renaming sync.WaitGroup
	renaming.Go(func() {
		for {
			for _, next := range []string{"fifo", "file", "link"} {
				assert.NoError(t, unix.Linkat(unix.AT_FDCWD, file(next), unix.AT_FDCWD, file("next"), 0))
				assert.NoError(t, unix.Rename(file("next"), path))
				// rename(2) does nothing for two names of one file.
				_ = unix.Unlink(file("next"))
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	opened, refused := 0, 0
	for opened < 100 || refused < 100 {
		r, err := fifo.OpenReader(t.Context(), path, unix.O_NONBLOCK)
		if err != nil {
			refused++
			continue
		}
		opened++
		var st unix.Stat_t
		require.NoError(t, unix.Fstat(r.Fd(), &st))
		require.Equal(t, uint32(unix.S_IFIFO), st.Mode&unix.S_IFMT)
		require.NoError(t, r.Close())
	}
	close(stop)
	renaming.Wait()
}

func TestACancelledOpenLeavesTheFIFOAsItWas(t *testing.T) {
	path := newFIFO(t)
	why := errors.New("nobody comes")
	for range 200 {
		ctx, cancel := context.WithCancelCause(context.Background())
		go cancel(why)
		_, err := fifo.OpenReader(ctx, path, 0)
		require.Equal(t, why, err)
		ctx, cancel = context.WithCancelCause(context.Background())
		go cancel(why)
		_, err = fifo.OpenWriter(ctx, path, 0)
		require.Equal(t, why, err)
	}
	_, err := fifo.OpenWriter(t.Context(), path, unix.O_NONBLOCK)
	assert.ErrorIs(t, err, unix.ENXIO, "the reader that gave up does not count")
}

func TestACancelledOpenWakesNobody(t *testing.T) {
	path := newFIFO(t)
	cancelled, cancel := context.WithCancel(t.Context())
	gaveUp := start(fifo.OpenWriter, cancelled, path)
	stays := start(fifo.OpenWriter, t.Context(), path)
	ipctest.Asleep(t, unix.SYS_OPENAT, 2)
	cancel()
	<-gaveUp.done
	assert.Equal(t, context.Canceled, gaveUp.err)
	ipctest.Asleep(t, unix.SYS_OPENAT, 1)
	assert.True(t, stays.waits())
	r, err := fifo.OpenReader(t.Context(), path, 0)
	require.NoError(t, err)
	defer r.Close()
	<-stays.done
	require.NoError(t, stays.err)
	require.NoError(t, stays.end.Close())
}

func TestACancelledOpenAndItsPartnerAgreeWhetherTheyMet(t *testing.T) {
	path := newFIFO(t)
	met := 0
	for range 500 {
		ctx, cancel := context.WithCancel(context.Background())
		r, w := start(fifo.OpenReader, ctx, path), start(fifo.OpenWriter, ctx, path)
		go func() {
			for range rand.N(100) {
				runtime.Gosched()
			}
			cancel()
		}()
		<-r.done
		<-w.done
		require.Equal(t, r.err, w.err)
		if r.err == nil {
			met++
			require.NoError(t, r.end.Close())
			require.NoError(t, w.end.Close())
		}
	}
	t.Logf("%d of 500 met", met)
}
