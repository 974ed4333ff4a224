package p03popen

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
)

// exchange writes the input or reads the output, and closes.
func exchange(t *trial) { t.exchange(t.output) }

func (t *trial) exchange(output string) {
	if t.Mode == "r" {
		if s := t.open(t.Command, t.Mode); s != nil {
			t.readAll(s, output)
			t.close(s, t.returns)
		}
		return
	}
	printed := scratch()
	var s stream
	swapped(1, int(printed.Fd()), func() { s = t.open(t.Command, t.Mode) })
	if s != nil {
		if t.input != "" {
			t.write(s, t.input)
			t.say("Wrote: \"%s\"", escape(t.input))
		}
		t.close(s, t.returns)
	}
	if got := content(printed); s != nil {
		t.want("what the command printed", got, output)
	}
}

// list expects what is in the working directory.
func list(t *trial) {
	entries, err := os.ReadDir(".") // sorted by bytes, as ls is told by LC_ALL=C
	if err != nil {
		t.fail("%v", err)
		return
	}
	var names strings.Builder
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names.WriteString(e.Name() + "\n")
		}
	}
	t.exchange(names.String())
}

// tooLong runs a command longer than exec takes. Which error it is differs: the
// kernel says E2BIG, glibc ENOMEM.
func tooLong(t *trial) {
	s, err := t.impl.open("echo "+strings.Repeat("x", 200000), t.Mode)
	if err == nil {
		t.fail("mypopen returned a stream")
		_, _ = s.Close()
		return
	}
	t.say("mypopen returned: NULL")
}

func closeOnExec(t *trial) {
	s := t.open(t.Command, t.Mode)
	if s == nil {
		return
	}
	flags, err := unix.FcntlInt(uintptr(s.Fd()), unix.F_GETFD, 0)
	if err != nil {
		t.fail("fcntl: %v", err)
	}
	answer := "no"
	if flags&unix.FD_CLOEXEC != 0 {
		answer = "yes"
	}
	t.say("Close-on-exec: %s", answer)
	t.want("close-on-exec", answer, t.output)
	t.close(s, t.returns)
}

func refused(t *trial) {
	s, err := t.impl.open(t.Command, t.Mode)
	t.mustFail(s, err, "EINVAL")
}

// wrongWay reads or writes where it is not allowed.
func wrongWay(t *trial) {
	s := t.open(t.Command, t.Mode)
	if s == nil {
		return
	}
	do := s.Write
	if t.output == "Read" {
		do = s.Read
	}
	if _, err := do(make([]byte, 1)); err == nil {
		t.fail("%s succeeded", t.output)
	} else {
		t.say("%s failed: %s", t.output, errnoName(err))
		t.want("the error", errnoName(err), "EBADF")
	}
	t.close(s, t.returns)
}

func bigRead(t *trial) {
	s := t.open(t.Command, t.Mode)
	if s == nil {
		return
	}
	total, count, right := 0, 0, true
	for numbers := bufio.NewScanner(s); numbers.Scan(); count++ {
		total += len(numbers.Bytes()) + 1
		right = right && numbers.Text() == strconv.Itoa(count+1)
	}
	t.say("Read: %d bytes", total)
	if !right || count != 1000000 {
		t.fail("these are not the numbers from 1 to 1000000")
	}
	t.close(s, t.returns)
}

func bigWrite(t *trial) {
	printed := scratch()
	var s stream
	swapped(1, int(printed.Fd()), func() { s = t.open(t.Command, t.Mode) })
	if s == nil {
		_ = printed.Close()
		return
	}
	var text strings.Builder
	for i := range 1000000 {
		text.WriteString(strconv.Itoa(i+1) + "\n")
	}
	t.write(s, text.String())
	t.say("Wrote: %d bytes", text.Len())
	t.close(s, t.returns)
	t.want("the checksum", content(printed), t.output)
}

func environment(t *trial) {
	_ = os.Setenv(variable, "set before")
	defer os.Unsetenv(variable)
	exchange(t)
}

// variable is the environment variable by which a body tells its command something.
const variable = "MYPOPEN_TEST"

func sharedInput(t *trial) {
	r, w, err := pipe.New(0)
	if err != nil {
		t.fail("%v", err)
		return
	}
	defer r.Close()
	_, _ = w.Write([]byte(t.output))
	_ = w.Close()
	swapped(0, r.Fd(), func() { exchange(t) })
}

func sharedError(t *trial) {
	printed := scratch()
	var s stream
	swapped(2, int(printed.Fd()), func() { s = t.open(t.Command, t.Mode) })
	if s == nil {
		_ = printed.Close()
		return
	}
	t.readAll(s, "")
	t.close(s, t.returns)
	got := content(printed)
	t.say("Standard error: %s", escape(got))
	t.want("standard error", got, t.output)
}
