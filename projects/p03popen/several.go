package p03popen

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

func closedInChild(t *trial) {
	r, w := t.open("exit 19", "r"), t.open("exit 20", "w")
	if r == nil || w == nil {
		return
	}
	_ = os.Setenv(variable, fmt.Sprint(r.Fd(), w.Fd()))
	defer os.Unsetenv(variable)
	exchange(t)
	t.close(r, "19")
	t.close(w, "20")
}

// beside closes the case's stream while a later one is open; it hangs if that has
// its end.
func (t *trial) beside(firstLine string) {
	s, later := t.open(t.Command, t.Mode), t.open("read n; exit $n", "w")
	if s == nil || later == nil {
		return
	}
	if firstLine != "" {
		t.readLine(s, firstLine)
	}
	t.close(s, t.returns)
	t.write(later, "18\n")
	t.close(later, "18")
}

func endBeside(t *trial) { t.beside("") }

func hangUpBeside(t *trial) { t.beside("y\n") }

func anyOrder(t *trial) {
	var s [5]stream
	for i := range s {
		if s[i] = t.open(fmt.Sprintf("exit %d", 20+i), t.Mode); s[i] == nil {
			return
		}
	}
	for _, i := range []int{3, 0, 4, 2, 1} {
		t.close(s[i], fmt.Sprint(20+i))
	}
}

// ownStatus tells a command its exit status and closes. It says whether that came
// back.
func ownStatus(s stream, number int) bool {
	_, failed := fmt.Fprintf(s, "%d\n", number)
	status, err := s.Close()
	return failed == nil && err == nil && status.Code() == number
}

func (t *trial) checkOwn(own, want int) {
	t.say("mypclose returned: the stream's own status %d times", own)
	if own != want {
		t.fail("it should be %d times", want)
	}
}

func many(t *trial) {
	var streams []stream
	for len(streams) < 300 {
		s := t.open(t.Command, t.Mode)
		if s == nil {
			break
		}
		streams = append(streams, s)
	}
	t.say("Opened: %d streams", len(streams))
	own := 0
	for i, s := range streams {
		if ownStatus(s, i%256) {
			own++
		}
	}
	t.checkOwn(own, 300)
}

func threads(t *trial) {
	const each = 25
	var own atomic.Int32
	var running sync.WaitGroup
	for first := 0; first < 8*each; first += each {
		running.Go(func() {
			for n := first; n < first+each; n++ {
				if s, err := t.impl.open(t.Command, t.Mode); err == nil && ownStatus(s, n) {
					own.Add(1)
				}
			}
		})
	}
	running.Wait()
	t.checkOwn(int(own.Load()), 8*each)
}

func noDescriptors(t *trial) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.fail("getrlimit: %v", err)
		return
	}
	none := unix.Rlimit{Cur: 0, Max: before.Max}
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &none) // lowering is always allowed
	s, err := t.impl.open(t.Command, t.Mode)
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &before)
	t.mustFail(s, err, "EMFILE")
	exchange(t)
}

// lowNumbers opens streams while 0 and 1 are closed, so that the end of the first
// one has the number that the command of the last needs for its standard input.
func lowNumbers(t *trial) {
	swapped(0, -1, func() {
		swapped(1, -1, func() {
			first := t.open("echo through", "r")
			second := t.open("[ -e /proc/$$/fd/0 ] || exit 18", "r") // 0 is the first one
			if first == nil || second == nil {
				return
			}
			s := t.open(t.Command, t.Mode)
			if s == nil {
				return
			}
			t.write(s, "17\n")
			t.close(s, t.returns)
			t.close(second, "18")
			t.readAll(first, "through\n")
			t.close(first, "0")
		})
	})
}
