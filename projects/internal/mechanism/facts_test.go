package mechanism_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/mechanism"
)

// carrier is a channel inside this process; nothing in it blocks.
type carrier struct {
	send   func(text string, urgent bool) error
	take   func() (string, error) // EAGAIN or ENOMSG when there is nothing
	reopen func()                 // everybody closes it, then it is opened again; nil: cannot be
	fd     int                    // of the receiving side, -1 if it has none
	rights func() error           // sends a descriptor; nil: there is no such call
}

func descriptors(t *testing.T, read, write int) carrier {
	buf := make([]byte, 100)
	return carrier{fd: read,
		send: func(text string, _ bool) error { _, err := unix.Write(write, []byte(text)); return err },
		take: func() (string, error) { n, err := unix.Read(read, buf); return string(buf[:max(n, 0)]), err },
	}
}

func sockets(t *testing.T, kind int) carrier {
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	c := descriptors(t, fds[0], fds[1])
	c.rights = func() error { return unix.Sendmsg(fds[1], []byte("x"), unix.UnixRights(0), nil, 0) }
	return c
}

// carriers are real ones, by their name in the catalog.
var carriers = map[string]func(t *testing.T) carrier{
	"pipe": func(t *testing.T) carrier {
		var fds [2]int
		require.NoError(t, unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC))
		t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
		return descriptors(t, fds[0], fds[1])
	},
	"fifo": func(t *testing.T) carrier {
		path := filepath.Join(t.TempDir(), "fifo")
		require.NoError(t, unix.Mkfifo(path, 0o600))
		fd := -1
		open := func() {
			unix.Close(fd)
			var err error
			fd, err = unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
			require.NoError(t, err)
		}
		open()
		t.Cleanup(func() { unix.Close(fd) })
		c := descriptors(t, fd, fd) // open takes the lowest number again
		c.reopen = open
		return c
	},
	"unix_stream":    func(t *testing.T) carrier { return sockets(t, unix.SOCK_STREAM) },
	"unix_seqpacket": func(t *testing.T) carrier { return sockets(t, unix.SOCK_SEQPACKET) },
	"unix_dgram":     func(t *testing.T) carrier { return sockets(t, unix.SOCK_DGRAM) },
	"posix_mq": func(t *testing.T) carrier {
		name := "/" + ipctest.Name(t)
		var q *posixmq.Queue
		open := func() {
			var err error
			q, err = posixmq.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_NONBLOCK, 0o600, &posixmq.Attr{MaxMsg: 4, MsgSize: 64})
			require.NoError(t, err)
		}
		open()
		t.Cleanup(func() { q.Close(); assert.NoError(t, posixmq.Unlink(name)) })
		buf := make([]byte, 64)
		return carrier{fd: q.Fd(),
			send: func(text string, urgent bool) error {
				priority := uint(0)
				if urgent {
					priority = 9
				}
				return q.Send([]byte(text), priority)
			},
			take:   func() (string, error) { n, _, err := q.Receive(buf); return string(buf[:n]), err },
			reopen: func() { require.NoError(t, q.Close()); open() },
		}
	},
	"sysv_mq": func(t *testing.T) carrier {
		key := sysvmq.Key(ipctest.Key())
		q, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, q.Remove()) })
		buf := make([]byte, 64)
		return carrier{fd: -1,
			send: func(text string, urgent bool) error {
				mtype := int64(9)
				if urgent {
					mtype = 1
				}
				return q.Send(mtype, []byte(text), sysvmq.NoWait)
			},
			// The lowest type first.
			take:   func() (string, error) { n, _, err := q.Receive(buf, -9, sysvmq.NoWait); return string(buf[:n]), err },
			reopen: func() { q, err = sysvmq.Get(key, 0); require.NoError(t, err) },
		}
	},
}

// What the catalog says of channels is tried out on the system itself.
func TestSystemDoesWhatTheCatalogSays(t *testing.T) {
	for i := range mechanism.Catalog {
		m := &mechanism.Catalog[i]
		make := carriers[m.ID]
		if make == nil {
			continue
		}
		t.Run(m.ID, func(t *testing.T) {
			c := make(t)
			require.NoError(t, c.send("ab", false))
			require.NoError(t, c.send("cd", false))
			first, err := c.take()
			require.NoError(t, err)
			assert.Equal(t, m.Messages, first == "ab", "boundaries: %q", first)
			for err == nil {
				_, err = c.take()
			}
			assert.True(t, err == unix.EAGAIN || ipctest.Errno(err) == unix.EAGAIN || ipctest.Errno(err) == unix.ENOMSG, "%v", err)

			require.NoError(t, c.send("late", false))
			require.NoError(t, c.send("soon", true))
			first, err = c.take()
			require.NoError(t, err)
			assert.Equal(t, m.Priority, first == "soon", "priority: %q", first)
			for err == nil {
				_, err = c.take()
			}

			if c.reopen != nil {
				require.NoError(t, c.send("kept", false))
				c.reopen()
				kept, err := c.take()
				assert.Equal(t, m.Keep != "open", err == nil && kept == "kept", "kept: %q, %v", kept, err)
			} else {
				assert.Equal(t, "open", m.Keep, "it has no name to open it by again")
			}

			assert.Equal(t, m.Poll, c.fd >= 0, "a descriptor")
			if c.fd >= 0 {
				require.NoError(t, c.send("x", false))
				ready, err := unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}, 0)
				require.NoError(t, err)
				assert.Equal(t, 1, ready, "poll says that there is something")
			}

			assert.Equal(t, m.Descriptors, c.rights != nil && c.rights() == nil, "descriptors go along")
		})
	}
}
