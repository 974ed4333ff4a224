package posixmq_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

// player makes the calls that testdata/mq.c makes, and says the same of them.
type player struct {
	q     *posixmq.Queue
	alone bool // without its second descriptor
}

func (p *player) open(args []string) string {
	var attr *posixmq.Attr
	var mode uint32
	if len(args) == 5 {
		attr = new(posixmq.Attr)
		fmt.Sscan(args[3], &attr.MaxMsg)
		fmt.Sscan(args[4], &attr.MsgSize)
	}
	if len(args) > 2 {
		fmt.Sscanf(args[2], "%o", &mode)
	}
	flags := unix.O_RDONLY
	switch {
	case strings.Contains(args[1], "rw"):
		flags = unix.O_RDWR
	case strings.Contains(args[1], "w"):
		flags = unix.O_WRONLY
	}
	for letter, flag := range map[string]int{"c": unix.O_CREAT, "x": unix.O_EXCL, "n": unix.O_NONBLOCK} {
		if strings.Contains(args[1], letter) {
			flags |= flag
		}
	}
	q, err := posixmq.Open(strings.TrimPrefix(args[0], "-"), flags, mode, attr)
	if err == nil && p.alone {
		err = q.Alone()
	}
	if err == nil {
		p.q = q
	}
	return ipctest.Outcome(err)
}

func (p *player) call(text string) string {
	f := strings.Fields(text)
	number := func(i int) (n int) { fmt.Sscan(f[i], &n); return n }
	bytes := func(i int) []byte { b, _ := hex.DecodeString(strings.Trim(f[i], "-")); return b }
	message := func(buf []byte, n int, priority uint, err error) string {
		switch {
		case err != nil:
			return ipctest.Outcome(err)
		case n == 0:
			return fmt.Sprintf("priority %d, -", priority)
		}
		return fmt.Sprintf("priority %d, %x", priority, buf[:n])
	}
	switch f[0] {
	case "open":
		return p.open(f[1:])
	case "unlink":
		return ipctest.Outcome(posixmq.Unlink(f[1]))
	case "close":
		return ipctest.Outcome(p.q.Close())
	case "attr":
		a, err := p.q.Attr()
		if err != nil {
			return ipctest.Outcome(err)
		}
		return fmt.Sprintf("%s, %d messages of %d, %d in it",
			map[bool]string{true: "non-blocking", false: "blocking"}[a.Nonblock], a.MaxMsg, a.MsgSize, a.CurMsgs)
	case "nonblock":
		return ipctest.Outcome(p.q.SetNonblock(number(1) != 0))
	case "send":
		return ipctest.Outcome(p.q.Send(bytes(2), uint(number(1))))
	case "sendby":
		return ipctest.Outcome(p.q.SendBy(time.Unix(int64(number(1)), 0), bytes(3), uint(number(2))))
	case "receive":
		buf := make([]byte, number(1))
		n, priority, err := p.q.Receive(buf)
		return message(buf, n, priority, err)
	case "receiveby":
		buf := make([]byte, number(2))
		n, priority, err := p.q.ReceiveBy(time.Unix(int64(number(1)), 0), buf)
		return message(buf, n, priority, err)
	case "signal":
		return ipctest.Outcome(p.q.NotifySignal(syscall.Signal(number(1)), 0))
	case "none":
		return ipctest.Outcome(p.q.NotifyNone())
	case "cancel":
		return ipctest.Outcome(p.q.NotifyCancel())
	}
	return "no call: " + text
}

var errno = ipctest.Outcome

// Q stands for the name of a new queue. A line is a call and what it says.
var plays = map[string][][2]string{
	"a queue is made, opened and removed": {
		{"open Q rw", errno(unix.ENOENT)},
		{"open Q rwc 600 3 16", "0"},
		{"attr", "blocking, 3 messages of 16, 0 in it"},
		{"open Q rwcx 600 3 16", errno(unix.EEXIST)},
		{"open Q rwc 600 5 99", "0"},
		{"attr", "blocking, 3 messages of 16, 0 in it"},
		{"open Q rwc 600 0 0", "0"},
		{"open Q rn", "0"},
		{"attr", "non-blocking, 3 messages of 16, 0 in it"},
		{"unlink Q", "0"},
		{"unlink Q", errno(unix.ENOENT)},
		{"open Q rw", errno(unix.ENOENT)},
		{"attr", "non-blocking, 3 messages of 16, 0 in it"},
	},
	"without attributes the system's defaults are taken": {
		{"open Q rwcx 600", "0"},
		{"attr", "blocking, DEFAULT in it"},
	},
	"attributes out of range": {
		{"open Q rwc 600 0 16", errno(unix.EINVAL)},
		{"open Q rwc 600 3 0", errno(unix.EINVAL)},
		{"open Q rwc 600 0 0", errno(unix.EINVAL)},
		{"open Q rwc 600 -1 16", errno(unix.EINVAL)},
		{"open Q rwc 600 3 -1", errno(unix.EINVAL)},
		{"open Q rwc 600 65537 16", errno(unix.EINVAL)},
		{"open Q rwc 600 3 16777217", errno(unix.EINVAL)},
		{"open Q rwc 600 4611686018427387904 4611686018427387904", errno(unix.EINVAL)},
		{"open Q rw", errno(unix.ENOENT)},
	},
	"names": {
		{"open - rwc 600", errno(unix.EINVAL)},
		{"open noslash rwc 600", errno(unix.EINVAL)},
		{"open / rwc 600", errno(unix.ENOENT)},
		{"open // rwc 600", errno(unix.EACCES)},
		{"open /. rwc 600", errno(unix.EACCES)},
		{"open /.. rwc 600", errno(unix.EACCES)},
		{"open Q/b rwc 600", errno(unix.EACCES)},
		{"open Q/ rwc 600", errno(unix.EACCES)},
		{"open /" + strings.Repeat("n", 256) + " rwc 600", errno(unix.ENAMETOOLONG)},
		{"open /" + strings.Repeat("n", 5000) + " rwc 600", errno(unix.ENAMETOOLONG)},
		{"unlink noslash", errno(unix.EINVAL)},
		{"unlink /", errno(unix.ENOENT)},
		{"unlink Q/b", errno(unix.EACCES)},
		{"unlink /" + strings.Repeat("n", 256), errno(unix.ENAMETOOLONG)},
	},
	"higher priorities first, first come first served within one": {
		{"open Q rwcn 600 8 16", "0"},
		{"send 0 a1", "0"}, {"send 5 b1", "0"}, {"send 0 a2", "0"}, {"send 32767 d1", "0"},
		{"send 5 b2", "0"}, {"send 7 c1", "0"}, {"send 32767 d2", "0"},
		{"receive 16", "priority 32767, d1"}, {"receive 16", "priority 32767, d2"},
		{"receive 16", "priority 7, c1"}, {"receive 16", "priority 5, b1"},
		{"send 6 c2", "0"}, {"receive 16", "priority 6, c2"},
		{"receive 16", "priority 5, b2"}, {"receive 16", "priority 0, a1"},
		{"receive 16", "priority 0, a2"}, {"receive 16", errno(unix.EAGAIN)},
		{"send 32768 00", errno(unix.EINVAL)}, {"send 4294967295 00", errno(unix.EINVAL)},
		{"attr", "non-blocking, 8 messages of 16, 0 in it"},
	},
	"messages of any bytes, and of none": {
		{"open Q rwcn 600 8 4", "0"},
		{"send 1 -", "0"}, {"send 1 00000000", "0"}, {"send 1 00ff00", "0"},
		{"receive 4", "priority 1, -"}, {"receive 4", "priority 1, 00000000"}, {"receive 4", "priority 1, 00ff00"},
	},
	"a message over the size, a buffer under it": {
		{"open Q rwcn 600 8 4", "0"},
		{"send 1 0102030405", errno(unix.EMSGSIZE)},
		{"receive 3", errno(unix.EMSGSIZE)}, {"receive 0", errno(unix.EMSGSIZE)},
		{"send 1 01", "0"},
		{"receive 3", errno(unix.EMSGSIZE)},
		{"receive 5", "priority 1, 01"},
	},
	"non-blocking by flag and by attribute": {
		{"open Q rwcn 600 1 4", "0"},
		{"send 1 01", "0"}, {"send 9 02", errno(unix.EAGAIN)},
		{"sendby 0 1 03", errno(unix.EAGAIN)}, {"sendby -1 1 03", errno(unix.EINVAL)},
		{"nonblock 0", "0"}, {"attr", "blocking, 1 messages of 4, 1 in it"},
		{"sendby 0 1 03", errno(unix.ETIMEDOUT)},
		{"nonblock 1", "0"}, {"receive 4", "priority 1, 01"}, {"receive 4", errno(unix.EAGAIN)},
		{"receiveby 0 4", errno(unix.EAGAIN)},
	},
	"deadlines in the past": {
		{"open Q rwc 600 1 4", "0"},
		{"receiveby 0 4", errno(unix.ETIMEDOUT)}, {"receiveby 1 4", errno(unix.ETIMEDOUT)},
		{"receiveby -1 4", errno(unix.EINVAL)}, {"receiveby 1 3", errno(unix.EMSGSIZE)},
		{"sendby 1 2 07", "0"}, {"sendby 1 2 08", errno(unix.ETIMEDOUT)},
		{"sendby -1 2 08", errno(unix.EINVAL)}, {"receiveby -1 4", errno(unix.EINVAL)},
		{"sendby 1 2 0102030405", errno(unix.EMSGSIZE)}, {"sendby 1 32768 07", errno(unix.EINVAL)},
		{"receiveby 1 4", "priority 2, 07"},
		{"sendby -1 2 08", errno(unix.EINVAL)},
	},
	"access modes": {
		{"open Q wc 600 2 4", "0"},
		{"receive 4", errno(unix.EBADF)}, {"receiveby 1 4", errno(unix.EBADF)}, {"send 1 01", "0"},
		{"open Q r", "0"},
		{"send 1 02", errno(unix.EBADF)}, {"sendby 1 1 02", errno(unix.EBADF)}, {"receive 4", "priority 1, 01"},
	},
	"after close": {
		{"open Q rwc 600 2 4", "0"},
		{"close", "0"}, {"close", errno(unix.EBADF)}, {"send 1 01", errno(unix.EBADF)},
		{"receive 4", errno(unix.EBADF)}, {"attr", errno(unix.EBADF)}, {"nonblock 1", errno(unix.EBADF)},
		{"none", errno(unix.EBADF)}, {"cancel", errno(unix.EBADF)}, {"signal 10", errno(unix.EBADF)},
	},
	"registrations": {
		{"open Q rwc 600 2 4", "0"},
		{"cancel", "0"},
		{"signal 65", errno(unix.EINVAL)}, {"signal -1", errno(unix.EINVAL)},
		{"signal 0", "0"}, {"none", errno(unix.EBUSY)}, {"signal 10", errno(unix.EBUSY)},
		{"cancel", "0"}, {"none", "0"}, {"none", errno(unix.EBUSY)}, {"cancel", "0"}, {"cancel", "0"},
		{"none", "0"}, {"send 1 01", "0"}, {"none", "0"},
		{"send 1 02", "0"}, {"none", errno(unix.EBUSY)},
	},
}

func TestCallsSayWhatTheySayInC(t *testing.T) {
	for title, play := range plays {
		t.Run(title, func(t *testing.T) {
			limits, err := posixmq.ReadLimits()
			assert.NoError(t, err)
			byDefault := fmt.Sprintf("%d messages of %d, 0", defaultOf("msg", 10, limits.MsgMax), defaultOf("msgsize", 8192, limits.MsgSizeMax))
			perform := func(say func(call string) string) (said, want []string) {
				name := newName(t)
				for _, line := range play {
					said = append(said, say(strings.Replace(line[0], " Q", " "+name, 1)))
					want = append(want, strings.Replace(line[1], "DEFAULT", byDefault, 1))
				}
				return said, want
			}
			calls, want := perform(func(call string) string { return call })
			assert.Equal(t, want, inC(t, calls...).Rest(), "C")
			for _, p := range []*player{{}, {alone: true}} {
				said, want := perform(func(call string) string {
					before := p.q
					defer func() {
						if before != nil && before != p.q {
							assert.NoError(t, before.Close())
						}
					}()
					return p.call(call)
				})
				if p.q != nil && p.q.Fd() >= 0 {
					assert.NoError(t, p.q.Close())
				}
				assert.Equal(t, want, said, "Go, alone: %t", p.alone)
			}
		})
	}
}

// defaultOf is what a queue gets when it asks for nothing: /proc/sys/fs/mqueue/*_default,
// or the greatest allowed where that is less.
func defaultOf(what string, otherwise, most int) int {
	var n int
	if _, err := fmt.Sscan(read("/proc/sys/fs/mqueue/"+what+"_default"), &n); err != nil {
		n = otherwise
	}
	return min(n, most)
}
