package p04posixmq

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

func testModes(r *rig) {
	defer unix.Umask(unix.Umask(0))
	d := r.start()
	r.submit(blocked)
	r.waitForFile("begun")
	q, err := posixmq.Open(r.place.Queue, unix.O_RDONLY, 0, nil)
	require.NoError(r.t, err)
	var st unix.Stat_t
	require.NoError(r.t, unix.Fstat(q.Fd(), &st))
	require.NoError(r.t, q.Close())
	assert.EqualValues(r.t, 0o600, st.Mode&0o7777)
	files := 0
	require.NoError(r.t, filepath.Walk(r.place.State, func(path string, info os.FileInfo, err error) error {
		require.NoError(r.t, err)
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		} else {
			files++
		}
		assert.Equal(r.t, want, info.Mode().Perm(), path)
		return nil
	}))
	assert.GreaterOrEqual(r.t, files, 4) // lock, counter, running/1, output/1
	r.write("go", "x")
	r.drain(d)
}

func testRefusals(r *rig) {
	both := func(what, complaint string) {
		r.t.Helper()
		assert.Contains(r.t, r.fails("job_dispatcher"), complaint, what)
		assert.Contains(r.t, r.fails("submit_job", "--cmd", "echo x > ran"), complaint, what)
	}
	elsewhere := r.place.State + ".elsewhere"
	require.NoError(r.t, os.Mkdir(elsewhere, 0o700))
	require.NoError(r.t, os.Symlink(elsewhere, r.place.State))
	both("a symbolic link", "not a directory")
	entries, err := os.ReadDir(elsewhere)
	require.NoError(r.t, err)
	assert.Empty(r.t, entries)
	require.NoError(r.t, os.Remove(r.place.State))

	require.NoError(r.t, os.WriteFile(r.place.State, nil, 0o600))
	both("a file", "not a directory")
	require.NoError(r.t, os.Remove(r.place.State))

	require.NoError(r.t, os.Mkdir(r.place.State, 0o700))
	require.NoError(r.t, os.Chmod(r.place.State, 0o750))
	both("a directory for the group", "others may use this directory (mode 0750)")
	require.NoError(r.t, os.Chmod(r.place.State, 0o700))
	if os.Geteuid() == 0 {
		require.NoError(r.t, os.Chown(r.place.State, 1, -1))
		both("another user's directory", "another user's directory")
		require.NoError(r.t, os.Chown(r.place.State, 0, -1))
	}

	q, err := posixmq.Open(r.place.Queue, unix.O_CREAT|unix.O_RDWR, 0o622, nil)
	require.NoError(r.t, err)
	both("a queue for others", "others may use this queue (mode 0622)")
	if os.Geteuid() == 0 {
		require.NoError(r.t, unix.Fchmod(q.Fd(), 0o600))
		require.NoError(r.t, unix.Fchown(q.Fd(), 1, -1))
		both("another user's queue", "another user's queue")
	}
	require.NoError(r.t, q.Close())
	require.NoError(r.t, posixmq.Unlink(r.place.Queue))

	d := r.start()
	r.drain(d)
	assert.Empty(r.t, r.file("ran"))
}

func testAttributes(r *rig) {
	for _, program := range [][]string{{"job_dispatcher"}, {"submit_job", "--cmd", "x"}} {
		said := r.fails(program[0], append(program[1:], "--max-messages", "70000")...)
		assert.Contains(r.t, said, "fs.mqueue.msg_max=70000")
		said = r.fails(program[0], append(program[1:], "--message-size", "100000000")...)
		assert.Contains(r.t, said, "fs.mqueue.msgsize_max=100000000")
	}
	assert.Equal(r.t, "Job 1 queued (priority 0)\n", r.submit("echo x >> ran", "--max-messages", "3", "--message-size", "100"))
	q, err := posixmq.Open(r.place.Queue, unix.O_RDONLY, 0, nil)
	require.NoError(r.t, err)
	attr, err := q.Attr()
	require.NoError(r.t, err)
	assert.Equal(r.t, posixmq.Attr{MaxMsg: 3, MsgSize: 100, CurMsgs: 1}, attr)
	require.NoError(r.t, q.Close())

	assert.Contains(r.t, r.fails("job_dispatcher", "--max-messages", "4"), "3 messages of 100 bytes")
	assert.Contains(r.t, r.fails("submit_job", "--message-size", "99", "--cmd", "x"), "3 messages of 100 bytes")
	assert.Contains(r.t, r.fails("submit_job", "--cmd", strings.Repeat("x", 99)), "message of 101 bytes, and 100 are the limit")
	r.submit(": " + strings.Repeat("x", 96))
	d := r.start("--max-messages", "3", "--message-size", "100")
	r.drain(d)
	assert.Equal(r.t, "x\n", r.file("ran"))
}

func testBusy(r *rig) {
	q, err := posixmq.Open(r.place.Queue, unix.O_CREAT|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 10, MsgSize: 8192})
	require.NoError(r.t, err)
	require.NoError(r.t, q.NotifyNone())
	for _, form := range []string{"signal", "thread"} {
		said := r.fails("job_dispatcher", "--notify", form)
		assert.Contains(r.t, said, "mq_notify "+r.place.Queue)
		assert.Contains(r.t, said, fmt.Sprintf("process %d", os.Getpid()))
	}
	require.NoError(r.t, q.NotifyCancel())
	for _, form := range []posixmq.Notification{posixmq.BySignal, posixmq.ByThread} {
		d := r.start("--notify", map[posixmq.Notification]string{posixmq.BySignal: "signal", posixmq.ByThread: "thread"}[form])
		s, err := q.Status()
		require.NoError(r.t, err)
		assert.Equal(r.t, form, s.Notify)
		assert.Equal(r.t, d.Process.Pid, s.NotifyPID)
		r.submit("echo x >> ran")
		d.waitFor(`Job \d+ finished`)
		// Armed anew, before it waits again.
		ipctest.Eventually(r.t, func() bool {
			s, err := q.Status()
			return err == nil && s.NotifyPID == d.Process.Pid
		}, "the dispatcher is registered again")
		d.signal(unix.SIGTERM)
		require.NoError(r.t, d.Wait())
		require.NoError(r.t, q.Close())
		q, err = posixmq.Open(r.place.Queue, unix.O_CREAT|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 10, MsgSize: 8192})
		require.NoError(r.t, err)
	}
	require.NoError(r.t, q.Close())
	assert.Equal(r.t, "x\nx\n", r.file("ran"))
}
