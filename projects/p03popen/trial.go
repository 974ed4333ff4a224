package p03popen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/popen"
	"unpipc/gobind/process"
)

// Implementation is a popen and pclose to put on trial.
type Implementation struct {
	Name string
	open func(command, mode string) (stream, error)
	// unknown is a stream that open did not return.
	unknown func() stream
}

type stream interface {
	io.ReadWriter
	Fd() int
	Close() (process.Status, error)
}

// Mine is this package's [Open] and [Stream.Close].
var Mine = Implementation{
	Name:    "mine",
	open:    func(command, mode string) (stream, error) { return Open(command, mode) },
	unknown: func() stream { return new(Stream) },
}

// Libc is the popen and pclose of libc.
var Libc = Implementation{
	Name:    "libc",
	open:    func(command, mode string) (stream, error) { return popen.Open(command, mode) },
	unknown: func() stream { return new(popen.Stream) },
}

// Run tries one case and writes what happened to out. No case takes longer than a
// few seconds; one that hangs ends the process.
func Run(impl Implementation, c *Case, out io.Writer) (passed bool) {
	t := &trial{Case: c, impl: impl}
	fmt.Fprintf(out, "Testing mypopen(\"%s\", \"%s\")...\n", escape(c.Command), c.Mode)
	watchdog := time.AfterFunc(time.Minute, func() {
		fmt.Fprintf(os.Stderr, "test_mypopen: %s: no end after a minute\n", c.Name)
		os.Exit(1)
	})
	defer watchdog.Stop()
	descriptors, children := openDescriptors(), haveChildren()
	c.body(t)
	if n := openDescriptors() - descriptors; n != 0 {
		t.fail("%d descriptors more than before", n)
	}
	if haveChildren() != children {
		t.fail("a child is left behind")
	}
	switch {
	case t.failed:
	case c.note != "":
		t.say("PASS (%s)", c.note)
	default:
		t.say("PASS")
	}
	_, _ = t.said.WriteTo(out)
	return !t.failed
}

// trial is a case being run.
type trial struct {
	*Case
	impl   Implementation
	said   bytes.Buffer // printed at the end: a body may have closed standard output
	failed bool
}

func (t *trial) say(format string, args ...any) {
	fmt.Fprintf(&t.said, "  "+format+"\n", args...)
}

func (t *trial) fail(format string, args ...any) {
	t.failed = true
	t.say("FAIL: "+format, args...)
}

func (t *trial) want(what, got, want string) {
	if got != want {
		t.fail("%s is \"%s\", not \"%s\"", what, escape(got), escape(want))
	}
}

// open opens a stream that there must be; nil and a failure else.
func (t *trial) open(command, mode string) stream {
	s, err := t.impl.open(command, mode)
	if err != nil {
		t.fail("mypopen returned: NULL (%s)", errnoName(err))
		return nil
	}
	return s
}

// close closes a stream and tells what came back, which must be want.
func (t *trial) close(s stream, want string) {
	status, err := s.Close()
	got := outcome(status, err)
	t.say("mypclose returned: %s", got)
	t.want("the status", got, want)
}

// mustFail tells the error that open had to return.
func (t *trial) mustFail(s stream, err error, want string) {
	if err == nil {
		t.fail("mypopen returned a stream")
		_, _ = s.Close()
		return
	}
	t.say("mypopen returned: NULL (%s)", errnoName(err))
	t.want("the error", errnoName(err), want)
}

// readAll reads to end of file and tells what it read, which must be want.
func (t *trial) readAll(s stream, want string) {
	b, err := io.ReadAll(s)
	if err != nil {
		t.fail("Read failed: %s", errnoName(err))
	}
	if len(b) > 0 {
		t.say("Read: %s", escape(string(b)))
	}
	t.want("what was read", string(b), want)
}

// readLine reads a line, and no byte more, and tells it; it must be want.
func (t *trial) readLine(s stream, want string) {
	line := t.line(s)
	t.say("Read: %s", escape(line))
	t.want("the first line", line, want)
}

func (t *trial) line(s stream) string {
	var line []byte
	b := make([]byte, 1)
	for {
		if _, err := io.ReadFull(s, b); err != nil {
			t.fail("Read failed: %s", errnoName(err))
			return string(line)
		}
		line = append(line, b[0])
		if b[0] == '\n' {
			return string(line)
		}
	}
}

func (t *trial) write(s stream, text string) {
	if _, err := io.WriteString(s, text); err != nil {
		t.fail("Write failed: %s", errnoName(err))
	}
}

// outcome words what pclose returned: the exit status, the signal, or the error.
func outcome(status process.Status, err error) string {
	switch {
	case err != nil:
		return fmt.Sprintf("-1 (%s)", errnoName(err))
	case status.Exited():
		return fmt.Sprint(status.Code())
	default:
		return fmt.Sprintf("killed by signal %d", status.Signal())
	}
}

func errnoName(err error) string {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return unix.ErrnoName(errno)
	}
	return err.Error()
}

// escape writes text as it would stand in a C string.
func escape(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '"' || c == '\\':
			b.Write([]byte{'\\', c})
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
