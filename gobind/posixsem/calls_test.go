package posixsem_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixsem"
)

// player makes the calls that testdata/sem.c makes, and says the same of them.
type player struct {
	way func(*posixsem.Sem) *posixsem.Sem
	s   *posixsem.Sem
}

var errno = ipctest.Outcome

func (p *player) call(text string) string {
	f := strings.Fields(text)
	number := func(i int) (n uint) { fmt.Sscan(f[i], &n); return n }
	switch f[0] {
	case "open":
		var mode uint32
		fmt.Sscanf(f[3], "%o", &mode)
		flags := 0
		for letter, flag := range map[string]int{"c": unix.O_CREAT, "x": unix.O_EXCL} {
			if strings.Contains(f[2], letter) {
				flags |= flag
			}
		}
		s, err := posixsem.Open(f[1], flags, mode, number(4))
		if err == nil {
			p.s = p.way(s)
		}
		return ipctest.Outcome(err)
	case "wait":
		return ipctest.Outcome(p.s.Wait())
	case "trywait":
		return ipctest.Outcome(p.s.TryWait())
	case "timedwait":
		return ipctest.Outcome(p.s.WaitBy(time.Now().Add(time.Duration(number(1)))))
	case "clockwait":
		return ipctest.Outcome(p.s.WaitFor(time.Duration(number(1))))
	case "post":
		return ipctest.Outcome(p.s.Post())
	case "value":
		v, err := p.s.Value()
		if err != nil {
			return ipctest.Outcome(err)
		}
		return fmt.Sprint(v)
	case "close":
		return ipctest.Outcome(p.s.Close())
	case "unlink":
		return ipctest.Outcome(posixsem.Unlink(f[1]))
	}
	return "no call: " + text
}

// N stands for a new name. A line is a call and what it says.
var plays = map[string][][2]string{
	"a semaphore is made, found and removed": {
		{"open N - 600 0", errno(unix.ENOENT)},
		{"open N x 600 0", errno(unix.ENOENT)},
		{"open N c 600 3", "0"}, {"value", "3"},
		{"open N c 600 9", "0"}, {"value", "3"},
		{"open N - 0 9", "0"}, {"value", "3"},
		{"open N cx 600 3", errno(unix.EEXIST)},
		{"close", "0"}, {"unlink N", "0"}, {"unlink N", errno(unix.ENOENT)},
		{"open N - 600 0", errno(unix.ENOENT)},
	},
	"taking and giving": {
		{"open N cx 600 2", "0"},
		{"wait", "0"}, {"trywait", "0"}, {"value", "0"}, {"trywait", errno(unix.EAGAIN)},
		{"timedwait 0", errno(unix.ETIMEDOUT)}, {"timedwait 1000000", errno(unix.ETIMEDOUT)},
		{"clockwait 0", errno(unix.ETIMEDOUT)}, {"clockwait 1000000", errno(unix.ETIMEDOUT)},
		{"post", "0"}, {"post", "0"}, {"post", "0"}, {"value", "3"},
		{"timedwait 0", "0"}, {"clockwait 0", "0"}, {"clockwait 1000000000", "0"}, {"value", "0"},
		{"unlink N", "0"}, {"post", "0"}, {"value", "1"}, {"close", "0"},
	},
	"the greatest value": {
		{"open N cx 600 2147483648", errno(unix.EINVAL)}, {"unlink N", errno(unix.ENOENT)},
		{"open N cx 600 2147483647", "0"}, {"value", "2147483647"},
		{"post", errno(unix.EOVERFLOW)}, {"value", "2147483647"},
		{"wait", "0"}, {"value", "2147483646"}, {"post", "0"}, {"post", errno(unix.EOVERFLOW)},
		{"open N c 600 2147483648", "0"}, // it is there, so the value does not count
		{"close", "0"}, {"unlink N", "0"},
	},
	"names that cannot be": {
		{"open / c 600 0", errno(unix.EINVAL)},
		{"open /a/b c 600 0", errno(unix.EINVAL)},
		{"unlink /a/b", errno(unix.ENOENT)},
		{"unlink N", errno(unix.ENOENT)},
	},
	"a name without its slash is the same": {
		{"open N cx 600 5", "0"}, {"close", "0"},
		{"open n - 600 0", "0"}, {"value", "5"}, {"close", "0"}, {"unlink n", "0"},
	},
}

func TestCallsSayWhatTheySayInC(t *testing.T) {
	for title, play := range plays {
		t.Run(title, func(t *testing.T) {
			names := func() *strings.Replacer {
				name := ipctest.Name(t)
				return strings.NewReplacer(" N", " /"+name, " n", " "+name)
			}
			var calls, want []string
			inCs := names()
			for _, line := range play {
				calls = append(calls, inCs.Replace(line[0]))
				want = append(want, line[1])
			}
			assert.Equal(t, want, inC(t, calls...).Rest(), "C")
			for name, way := range ways {
				var got []string
				p, ours := &player{way: way}, names()
				for _, line := range play {
					got = append(got, p.call(ours.Replace(line[0])))
				}
				assert.Equal(t, want, got, name)
			}
		})
	}
}
