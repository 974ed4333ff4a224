package posixmq_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

func TestStatusTellsBytesAndTheRegistration(t *testing.T) {
	q := newQueue(t, 5, 64, 0)
	is := func(want posixmq.Status) {
		t.Helper()
		got, err := q.Status()
		require.NoError(t, err)
		assert.Equal(t, want, got)
		// By another process: closing it would end this one's registration.
		file, err := exec.Command("cat", filepath.Join("/dev/mqueue", q.Name())).Output()
		if err == nil { // where it is mounted
			same, ok := posixmq.ParseStatus(string(file))
			assert.True(t, ok)
			assert.Equal(t, want, same)
		}
	}
	is(posixmq.Status{})
	require.NoError(t, q.Send(make([]byte, 10), 0))
	require.NoError(t, q.Send(make([]byte, 33), 5))
	pid := os.Getpid()
	is(posixmq.Status{Bytes: 43})
	require.NoError(t, q.NotifySignal(unix.SIGUSR1, 3))
	is(posixmq.Status{Bytes: 43, NotifyPID: pid, Notify: posixmq.BySignal, Signal: unix.SIGUSR1})
	require.NoError(t, q.NotifyCancel())
	require.NoError(t, q.NotifyNone())
	is(posixmq.Status{Bytes: 43, NotifyPID: pid, Notify: posixmq.ByNothing})
	require.NoError(t, q.NotifyCancel())
	require.NoError(t, q.NotifyThread(func() {}))
	is(posixmq.Status{Bytes: 43, NotifyPID: pid, Notify: posixmq.ByThread})
	receive(t, q)
	is(posixmq.Status{Bytes: 10, NotifyPID: pid, Notify: posixmq.ByThread})
	require.NoError(t, q.NotifyCancel())
	is(posixmq.Status{Bytes: 10})

	writer := open(t, q.Name(), unix.O_WRONLY, nil)
	_, err := writer.Status()
	ipctest.IsPathError(t, err, "read", q.Name(), unix.EBADF)
}

func TestNotificationsAreNamedAsInC(t *testing.T) {
	assert.Equal(t, "SIGEV_SIGNAL SIGEV_NONE SIGEV_THREAD sigev_notify 7",
		fmt.Sprint(posixmq.BySignal, posixmq.ByNothing, posixmq.ByThread, posixmq.Notification(7)))
}

var lines = []string{
	"QSIZE:129        NOTIFY:0     SIGNO:10    NOTIFY_PID:8260  \n",
	"QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n",
	"QSIZE:129 NOTIFY:0 SIGNO:10",
	"QSIZE:129 NOTIFY:0 SIGNO:10 NOTIFY_PID:8260 MORE:1",
	"QSIZE: NOTIFY:0 SIGNO:10 NOTIFY_PID:8260",
	"QSIZE:99999999999999999999 NOTIFY:0 SIGNO:10 NOTIFY_PID:8260",
	"NOTIFY:0 QSIZE:129 SIGNO:10 NOTIFY_PID:8260",
	"", "\x00",
}

func TestOnlyAQueuesLineIsRead(t *testing.T) {
	for i, line := range lines {
		_, ok := posixmq.ParseStatus(line)
		assert.Equal(t, i < 2, ok, line)
	}
}

func FuzzParseStatus(f *testing.F) {
	for _, line := range lines {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		s, ok := posixmq.ParseStatus(line)
		if !ok {
			assert.Zero(t, s)
			return
		}
		written := fmt.Sprintf("QSIZE:%-10d NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", s.Bytes, int(s.Notify), int(s.Signal), s.NotifyPID)
		again, ok := posixmq.ParseStatus(written)
		assert.True(t, ok)
		assert.Equal(t, s, again)
		assert.Len(t, strings.Fields(line), 4)
	})
}
