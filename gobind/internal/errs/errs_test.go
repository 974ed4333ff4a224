package errs_test

import (
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestErrorsNameTheOperationAndTheCause(t *testing.T) {
	named := errs.Path("mkfifo", "/tmp/f", unix.EEXIST)
	assert.EqualError(t, named, "mkfifo /tmp/f: file exists")
	assert.ErrorIs(t, named, unix.EEXIST)
	assert.ErrorIs(t, named, fs.ErrExist)
	var pathError *fs.PathError
	assert.ErrorAs(t, named, &pathError)

	unnamed := errs.Call("kill", unix.EPERM)
	assert.EqualError(t, unnamed, "kill: operation not permitted")
	assert.ErrorIs(t, unnamed, unix.EPERM)
	assert.ErrorIs(t, unnamed, fs.ErrPermission)
	var callError *os.SyscallError
	assert.ErrorAs(t, unnamed, &callError)
}

func TestErrnoZeroIsNoError(t *testing.T) {
	assert.NoError(t, errs.Path("open", "/", 0))
	assert.NoError(t, errs.Call("read", 0))
	assert.Zero(t, errs.Errno(nil))
	assert.Equal(t, unix.EAGAIN, errs.Errno(unix.EAGAIN))
}
