package posixmq_test

import (
	"encoding/binary"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

func TestMain(m *testing.M) {
	// glibc's thread and socket for notifications stay to the end of the process, so
	// they are to be there before the check for leaks begins. No queue is needed.
	var none posixmq.Queue
	_ = none.NotifyThread(func() {})

	os.Exit(ipctest.Main(m))
}

// inC starts testdata/mq.c, which makes these calls and says what they gave.
func inC(t *testing.T, calls ...string) *ipctest.Peer {
	t.Helper()
	return ipctest.Start(t, exec.Command(ipctest.CProgram(t, "testdata/mq.c", "-lrt"), calls...))
}

// newName is the name of a queue that is removed after the test, if it is there.
func newName(t testing.TB) string {
	name := "/" + ipctest.Name(t)
	t.Cleanup(func() {
		if err := posixmq.Unlink(name); err != nil {
			assert.ErrorIs(t, err, fs.ErrNotExist)
		}
	})
	return name
}

// newQueue is open for both directions until the end of the test, unless the test
// closes it.
func newQueue(t testing.TB, maxMsg, msgSize, flags int) *posixmq.Queue {
	t.Helper()
	return open(t, newName(t), unix.O_CREAT|unix.O_EXCL|unix.O_RDWR|flags, &posixmq.Attr{MaxMsg: maxMsg, MsgSize: msgSize})
}

func open(t testing.TB, name string, flags int, attr *posixmq.Attr) *posixmq.Queue {
	t.Helper()
	q, err := posixmq.Open(name, flags, 0o600, attr)
	require.NoError(t, err)
	t.Cleanup(func() {
		if q.Fd() >= 0 {
			assert.NoError(t, q.Close())
		}
	})
	return q
}

// waiting lets receivers and senders wait in the context forms.
func waiting(t testing.TB, q *posixmq.Queue, receivers, senders int) {
	t.Helper()
	ipctest.Eventually(t, func() bool {
		r, s := q.Waiting()
		return r == receivers && s == senders
	}, "they wait")
}

// inLine lets n goroutines get in line for a turn, which one that [waiting] has counted is
// just about to.
func inLine(t testing.TB, n int) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	inLine := regexp.MustCompile(`(?s)^goroutine \d+ \[(select|IO wait)[],].*posixmq\.\(\*line\)\.wait\(`)
	ipctest.Eventually(t, func() bool {
		there := 0
		for _, stack := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if inLine.MatchString(stack) {
				there++
			}
		}
		return there == n
	}, "they are in line")
}

func number(buf []byte) uint64 { return binary.LittleEndian.Uint64(buf) }

func numbered(number int) (msg []byte) { return binary.LittleEndian.AppendUint64(nil, uint64(number)) }
