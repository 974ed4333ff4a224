package sysvsem_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvsem"
)

// player makes the calls that testdata/sem.c makes, and says the same of them.
type player struct{ s *sysvsem.Set }

func number(n int, err error) string {
	if err == nil {
		return fmt.Sprint(n)
	}
	return ipctest.Outcome(err)
}

var errno = ipctest.Outcome

func parse(fields []string) (ops []sysvsem.Op) {
	for _, f := range fields {
		var o sysvsem.Op
		var letters string
		fmt.Sscanf(f, "%d:%d:%s", &o.Sem, &o.Add, &letters)
		for letter, flag := range map[string]int16{"n": sysvsem.NoWait, "u": sysvsem.Undo} {
			if strings.Contains(letters, letter) {
				o.Flags |= flag
			}
		}
		ops = append(ops, o)
	}
	return ops
}

func (p *player) call(text string) string {
	f := strings.Fields(text)
	arg := func(i int) (n int) { fmt.Sscan(f[i], &n); return n }
	switch f[0] {
	case "get":
		var mode int
		fmt.Sscanf(f[4], "%o", &mode)
		for letter, flag := range map[string]int{"c": sysvsem.Create, "x": sysvsem.Excl} {
			if strings.Contains(f[3], letter) {
				mode |= flag
			}
		}
		s, err := sysvsem.Get(sysvsem.Key(arg(1)), arg(2), mode)
		if err == nil {
			p.s = s
		}
		return ipctest.Outcome(err)
	case "op":
		return ipctest.Outcome(p.s.Do(parse(f[1:])...))
	case "timedop":
		return ipctest.Outcome(p.s.DoFor(time.Duration(arg(1)), parse(f[2:])...))
	case "getval":
		return number(p.s.Value(arg(1)))
	case "setval":
		return ipctest.Outcome(p.s.SetValue(arg(1), arg(2)))
	case "getall":
		v, err := p.s.Values()
		if err != nil {
			return ipctest.Outcome(err)
		}
		return strings.Trim(fmt.Sprint(v), "[]")
	case "setall":
		var v []int
		for i := range f[1:] {
			v = append(v, arg(i+1))
		}
		return ipctest.Outcome(p.s.SetValues(v...))
	case "ncnt":
		return number(p.s.WaitingForMore(arg(1)))
	case "zcnt":
		return number(p.s.WaitingForZero(arg(1)))
	case "mine":
		if pid, err := p.s.LastPID(arg(1)); err == nil && pid == os.Getpid() {
			return "mine"
		}
		return "not mine"
	case "stat":
		st, err := p.s.Stat()
		if err != nil {
			return ipctest.Outcome(err)
		}
		used := map[bool]string{true: "new", false: "used"}[st.Operated.IsZero()]
		return fmt.Sprintf("mode %o, %d semaphores, %s", st.Mode, st.Semaphores, used)
	case "set":
		st, err := p.s.Stat()
		if err != nil {
			return ipctest.Outcome(err)
		}
		fmt.Sscanf(f[1], "%o", &st.Mode)
		return ipctest.Outcome(p.s.Set(st))
	case "remove":
		return ipctest.Outcome(p.s.Remove())
	}
	return "no call: " + text
}

// K stands for a new key. A line is a call and what it says.
var plays = map[string][][2]string{
	"a set is made, found and removed": {
		{"get K 1 - 600", errno(unix.ENOENT)}, {"get K 1 x 600", errno(unix.ENOENT)},
		{"get K 0 c 600", errno(unix.EINVAL)}, {"get K -1 c 600", errno(unix.EINVAL)},
		{"get K 3 c 640", "0"}, {"stat", "mode 640, 3 semaphores, new"}, {"getall", "0 0 0"},
		{"get K 2 c 600", "0"}, {"get K 0 - 0", "0"}, {"get K 3 - 600", "0"}, {"get K 4 - 600", errno(unix.EINVAL)},
		{"get K 3 cx 600", errno(unix.EEXIST)},
		{"remove", "0"}, {"remove", errno(unix.EINVAL)}, {"stat", errno(unix.EINVAL)}, {"getall", errno(unix.EINVAL)},
		{"op 0:1:-", errno(unix.EINVAL)}, {"getval 0", errno(unix.EINVAL)}, {"setval 0 1", errno(unix.EINVAL)},
		{"get K 1 - 600", errno(unix.ENOENT)},
	},
	"private sets are all different": {
		{"get 0 1 - 600", "0"}, {"op 0:7:-", "0"}, {"remove", "0"},
		{"get 0 1 cx 600", "0"}, {"getall", "0"}, {"remove", "0"},
	},
	"adding and taking": {
		{"get K 1 cx 600", "0"},
		{"op 0:3:-", "0"}, {"op 0:-2:-", "0"}, {"getval 0", "1"}, {"mine 0", "mine"},
		{"op 0:-2:n", errno(unix.EAGAIN)}, {"op 0:0:n", errno(unix.EAGAIN)}, {"op 0:-1:n", "0"}, {"op 0:0:n", "0"},
		{"stat", "mode 600, 1 semaphores, used"}, {"remove", "0"},
	},
	"waiting for 0 is an operation too": {
		{"get K 1 cx 600", "0"}, {"stat", "mode 600, 1 semaphores, new"}, {"setval 0 0", "0"},
		{"stat", "mode 600, 1 semaphores, new"},
		{"op 0:0:-", "0"}, {"stat", "mode 600, 1 semaphores, used"}, {"remove", "0"},
	},
	"several operations are one": {
		{"get K 3 cx 600", "0"}, {"setall 1 2 0", "0"},
		{"op 0:-1:n 1:-3:n", errno(unix.EAGAIN)}, {"getall", "1 2 0"},
		{"op 2:5:n 0:-2:n", errno(unix.EAGAIN)}, {"getall", "1 2 0"},
		{"op 0:-1:- 1:-2:- 2:4:-", "0"}, {"getall", "0 0 4"},
		{"op 0:1:- 0:-1:-", "0"}, {"op 0:-1:n 0:1:n", errno(unix.EAGAIN)}, {"getall", "0 0 4"},
		{"op 0:0:- 0:1:-", "0"}, {"op 0:0:n 0:1:n", errno(unix.EAGAIN)}, {"getall", "1 0 4"},
		{"remove", "0"},
	},
	"only the operation that has to wait decides whether it may": {
		{"get K 2 cx 600", "0"}, {"setall 1 0", "0"},
		{"op 0:-1:- 1:-1:n", errno(unix.EAGAIN)}, {"getall", "1 0"},
		{"timedop 1000000 0:-1:n 1:-1:-", errno(unix.EAGAIN)}, {"getall", "1 0"}, {"remove", "0"},
	},
	"limited time": {
		{"get K 1 cx 600", "0"},
		{"timedop 0 0:-1:-", errno(unix.EAGAIN)}, {"timedop 1000000 0:-1:-", errno(unix.EAGAIN)},
		{"timedop 0 0:1:-", "0"}, {"timedop 1000000000 0:-1:-", "0"}, {"timedop 0 0:0:-", "0"}, {"remove", "0"},
	},
	"what is not there": {
		{"get K 2 cx 600", "0"},
		{"op 2:1:-", errno(unix.EFBIG)}, {"op 65535:1:-", errno(unix.EFBIG)}, {"op", errno(unix.EINVAL)},
		{"op 0:1:- 2:1:-", errno(unix.EFBIG)}, {"getall", "0 0"},
		{"getval 2", errno(unix.EINVAL)}, {"getval -1", errno(unix.EINVAL)}, {"setval 2 1", errno(unix.EINVAL)},
		{"ncnt 2", errno(unix.EINVAL)}, {"zcnt -1", errno(unix.EINVAL)}, {"ncnt 0", "0"}, {"zcnt 1", "0"},
		{"op" + strings.Repeat(" 0:1:-", 500), "0"}, {"op" + strings.Repeat(" 0:1:-", 501), errno(unix.E2BIG)},
		{"getall", "500 0"}, {"remove", "0"},
	},
	"values out of range": {
		{"get K 2 cx 600", "0"},
		{"setval 0 32767", "0"}, {"op 0:1:-", errno(unix.ERANGE)}, {"op 0:1:n", errno(unix.ERANGE)},
		{"setval 0 32768", errno(unix.ERANGE)}, {"setval 0 -1", errno(unix.ERANGE)},
		{"setall 5 32768", errno(unix.ERANGE)}, {"getall", "32767 0"}, {"setall 5 -1", errno(unix.ERANGE)},
		{"op 1:32767:-", "0"}, {"op 0:-32767:-", "0"}, {"op 1:-32768:n", errno(unix.EAGAIN)}, {"getall", "0 32767"},
		{"remove", "0"},
	},
	"who was last": {
		{"get K 3 cx 600", "0"}, {"mine 0", "not mine"},
		{"op 1:1:-", "0"}, {"mine 0", "not mine"}, {"mine 1", "mine"}, {"setval 0 1", "0"}, {"mine 0", "mine"},
		{"op 2:0:-", "0"}, {"mine 2", "mine"}, {"remove", "0"},
	},
	"owner and mode are set": {
		{"get K 1 cx 600", "0"}, {"set 640", "0"}, {"stat", "mode 640, 1 semaphores, new"},
		{"set 177777", "0"}, {"stat", "mode 777, 1 semaphores, new"}, {"remove", "0"}, {"set 600", errno(unix.EINVAL)},
	},
}

func TestCallsSayWhatTheySayInC(t *testing.T) {
	for title, play := range plays {
		t.Run(title, func(t *testing.T) {
			var calls, want, inGo []string
			p := new(player)
			ours, theirs := fmt.Sprintf(" %d", int32(newKey())), fmt.Sprintf(" %d", int32(newKey()))
			for _, line := range play {
				inGo = append(inGo, p.call(strings.ReplaceAll(line[0], " K", ours)))
				calls = append(calls, strings.ReplaceAll(line[0], " K", theirs))
				want = append(want, line[1])
			}
			assert.Equal(t, want, inC(t, calls...).Rest(), "C")
			assert.Equal(t, want, inGo, "Go")
		})
	}
}
