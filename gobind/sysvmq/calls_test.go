package sysvmq_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

// player makes the calls that testdata/msg.c makes, and says the same of them.
type player struct{ q *sysvmq.Queue }

var errno = ipctest.Outcome

func flags(letters string) (f int) {
	for letter, flag := range map[string]int{
		"n": sysvmq.NoWait, "e": sysvmq.NoError, "x": sysvmq.Except, "c": sysvmq.CopyOnly,
	} {
		if strings.Contains(letters, letter) {
			f |= flag
		}
	}
	return f
}

func (p *player) call(text string) string {
	f := strings.Fields(text)
	number := func(i int) (n int64) { fmt.Sscan(f[i], &n); return n }
	switch f[0] {
	case "get":
		var mode int
		fmt.Sscanf(f[3], "%o", &mode)
		for letter, flag := range map[string]int{"c": sysvmq.Create, "x": sysvmq.Excl} {
			if strings.Contains(f[2], letter) {
				mode |= flag
			}
		}
		q, err := sysvmq.Get(sysvmq.Key(number(1)), mode)
		if err == nil {
			p.q = q
		}
		return ipctest.Outcome(err)
	case "send":
		data, _ := hex.DecodeString(strings.Trim(f[2], "-"))
		var zeros int
		if _, err := fmt.Sscanf(f[2], "@%d", &zeros); err == nil {
			data = make([]byte, zeros)
		}
		return ipctest.Outcome(p.q.Send(number(1), data, flags(f[3])))
	case "receive":
		buf := make([]byte, number(1))
		n, mtype, err := p.q.Receive(buf, number(2), flags(f[3]))
		switch {
		case err != nil:
			return ipctest.Outcome(err)
		case n > 64:
			return fmt.Sprintf("type %d, %d bytes", mtype, n)
		case n == 0:
			return fmt.Sprintf("type %d, -", mtype)
		}
		return fmt.Sprintf("type %d, %x", mtype, buf[:n])
	case "stat":
		s, err := p.q.Stat()
		if err != nil {
			return ipctest.Outcome(err)
		}
		return fmt.Sprintf("mode %o, %d messages, %d bytes of %d", s.Mode, s.Messages, s.Bytes, s.MaxBytes)
	case "set":
		s, err := p.q.Stat()
		if err != nil {
			return ipctest.Outcome(err)
		}
		fmt.Sscanf(f[1], "%o", &s.Mode)
		s.MaxBytes = int(number(2))
		return ipctest.Outcome(p.q.Set(s))
	case "remove":
		return ipctest.Outcome(p.q.Remove())
	}
	return "no call: " + text
}

// K stands for a new key, MAX for the bytes a message may have, ALL for those a queue
// may. A line is a call and what it says.
var plays = map[string][][2]string{
	"a queue is made, found and removed": {
		{"get K - 600", errno(unix.ENOENT)},
		{"get K x 600", errno(unix.ENOENT)},
		{"get K c 640", "0"},
		{"stat", "mode 640, 0 messages, 0 bytes of ALL"},
		{"get K c 600", "0"},
		{"get K - 0", "0"},
		{"get K cx 600", errno(unix.EEXIST)},
		{"remove", "0"}, {"remove", errno(unix.EINVAL)}, {"stat", errno(unix.EINVAL)},
		{"send 1 00 n", errno(unix.EINVAL)}, {"receive 1 0 n", errno(unix.EINVAL)},
		{"get K - 600", errno(unix.ENOENT)},
	},
	"private queues are all different": {
		{"get 0 - 600", "0"}, {"send 1 01 n", "0"}, {"remove", "0"},
		{"get 0 cx 600", "0"}, {"receive 8 0 n", errno(unix.ENOMSG)}, {"remove", "0"},
	},
	"the oldest of any type": {
		{"get K cx 600", "0"},
		{"send 3 a1 -", "0"}, {"send 1 b1 -", "0"}, {"send 2 c1 -", "0"},
		{"receive 8 0 -", "type 3, a1"}, {"receive 8 0 -", "type 1, b1"}, {"receive 8 0 -", "type 2, c1"},
		{"receive 8 0 n", errno(unix.ENOMSG)}, {"remove", "0"},
	},
	"the oldest of one type": {
		{"get K cx 600", "0"},
		{"send 3 a1 -", "0"}, {"send 1 b1 -", "0"}, {"send 3 a2 -", "0"}, {"send 9223372036854775807 c1 -", "0"},
		{"receive 8 2 n", errno(unix.ENOMSG)},
		{"receive 8 3 -", "type 3, a1"}, {"receive 8 3 -", "type 3, a2"}, {"receive 8 3 n", errno(unix.ENOMSG)},
		{"receive 8 9223372036854775807 -", "type 9223372036854775807, c1"}, {"receive 8 1 -", "type 1, b1"},
		{"remove", "0"},
	},
	"the oldest of the lowest type up to a limit": {
		{"get K cx 600", "0"},
		{"send 30 a1 -", "0"}, {"send 10 b1 -", "0"}, {"send 20 c1 -", "0"}, {"send 10 b2 -", "0"},
		{"receive 8 -9 n", errno(unix.ENOMSG)},
		{"receive 8 -25 -", "type 10, b1"}, {"receive 8 -10 -", "type 10, b2"},
		{"receive 8 -9223372036854775808 -", "type 20, c1"}, {"receive 8 -29 n", errno(unix.ENOMSG)},
		{"receive 8 -9223372036854775807 -", "type 30, a1"}, {"remove", "0"},
	},
	"any type but one": {
		{"get K cx 600", "0"},
		{"send 1 a1 -", "0"}, {"send 2 b1 -", "0"}, {"send 1 a2 -", "0"},
		{"receive 8 1 nx", "type 2, b1"}, {"receive 8 1 nx", errno(unix.ENOMSG)},
		{"receive 8 2 nx", "type 1, a1"},
		{"receive 8 0 nx", "type 1, a2"}, {"remove", "0"},
	},
	"types that nobody can send": {
		{"get K cx 600", "0"},
		{"send 0 00 -", errno(unix.EINVAL)}, {"send -1 00 -", errno(unix.EINVAL)},
		{"send -9223372036854775808 00 n", errno(unix.EINVAL)}, {"stat", "mode 600, 0 messages, 0 bytes of ALL"},
		{"remove", "0"},
	},
	"messages of any bytes, and of none": {
		{"get K cx 600", "0"},
		{"send 1 - -", "0"}, {"send 1 00000000 -", "0"}, {"send 1 00ff00 -", "0"}, {"send 1 @MAX -", "0"},
		{"receive 0 0 -", "type 1, -"}, {"receive 4 0 -", "type 1, 00000000"}, {"receive 4 0 -", "type 1, 00ff00"},
		{"receive 1000000 0 -", "type 1, MAX bytes"},
		{"send 1 @OVER -", errno(unix.EINVAL)}, {"send 1 @OVER n", errno(unix.EINVAL)}, {"remove", "0"},
	},
	"a message too long for the buffer stays, or is cut": {
		{"get K cx 600", "0"},
		{"send 7 0102030405 -", "0"}, {"send 8 06 -", "0"},
		{"receive 4 0 -", errno(unix.E2BIG)}, {"receive 0 7 n", errno(unix.E2BIG)}, {"receive 4 -7 -", errno(unix.E2BIG)},
		{"stat", "mode 600, 2 messages, 6 bytes of ALL"},
		{"receive 4 0 e", "type 7, 01020304"}, {"receive 0 0 en", "type 8, -"},
		{"stat", "mode 600, 0 messages, 0 bytes of ALL"}, {"remove", "0"},
	},
	"a copy is chosen by position and leaves the message": {
		{"get K cx 600", "0"},
		{"receive 8 0 cn", errno(unix.ENOMSG)},
		{"send 7 0102 -", "0"}, {"send 8 03 -", "0"},
		{"receive 8 0 cn", "type 7, 0102"}, {"receive 8 1 cn", "type 8, 03"}, {"receive 8 2 cn", errno(unix.ENOMSG)},
		{"receive 8 0 c", errno(unix.EINVAL)}, {"receive 8 9 c", errno(unix.EINVAL)}, {"receive 8 0 cnx", errno(unix.EINVAL)},
		{"receive 1 0 cn", errno(unix.E2BIG)}, {"receive 1 0 cne", errno(unix.EINVAL)},
		{"stat", "mode 600, 2 messages, 3 bytes of ALL"},
		{"receive 8 0 -", "type 7, 0102"}, {"remove", "0"},
	},
	"a full queue": {
		{"get K cx 600", "0"}, {"set 600 100", "0"}, {"stat", "mode 600, 0 messages, 0 bytes of 100"},
		{"send 1 @100 n", "0"}, {"send 1 00 n", errno(unix.EAGAIN)}, {"send 1 - n", "0"},
		{"send 1 @101 n", errno(unix.EAGAIN)}, // it waits, though it never fits
		{"receive 100 0 n", "type 1, 100 bytes"}, {"send 1 @50 n", "0"}, {"send 1 @51 n", errno(unix.EAGAIN)},
		{"remove", "0"},
	},
	"messages of 0 bytes are limited by number": {
		{"get K cx 600", "0"}, {"set 600 2", "0"},
		{"send 1 - n", "0"}, {"send 1 - n", "0"}, {"send 1 - n", errno(unix.EAGAIN)},
		{"stat", "mode 600, 2 messages, 0 bytes of 2"}, {"remove", "0"},
	},
	"owner, mode and size are set": {
		{"get K cx 600", "0"}, {"set 607 50", "0"}, {"stat", "mode 607, 0 messages, 0 bytes of 50"},
		{"set 177777 60", "0"}, {"stat", "mode 777, 0 messages, 0 bytes of 60"},
		{"remove", "0"}, {"set 600 50", errno(unix.EINVAL)},
	},
}

func TestCallsSayWhatTheySayInC(t *testing.T) {
	info, err := sysvmq.ReadInfo()
	assert.NoError(t, err)
	limits := func(key sysvmq.Key) *strings.Replacer {
		return strings.NewReplacer(" K", fmt.Sprintf(" %d", int32(key)), "MAX", fmt.Sprint(info.MaxMessage),
			"OVER", fmt.Sprint(info.MaxMessage+1), "ALL", fmt.Sprint(info.MaxQueueBytes))
	}
	for title, play := range plays {
		t.Run(title, func(t *testing.T) {
			var calls, want, inGo []string
			p := new(player)
			ours, theirs := limits(newKey()), limits(newKey())
			for _, line := range play {
				inGo = append(inGo, p.call(ours.Replace(line[0])))
				calls = append(calls, theirs.Replace(line[0]))
				want = append(want, ours.Replace(line[1]))
			}
			assert.Equal(t, want, inC(t, calls...).Rest(), "C")
			assert.Equal(t, want, inGo, "Go")
		})
	}
}
