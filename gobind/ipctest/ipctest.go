// Package ipctest is what tests of IPC need: names nobody else uses, a world of
// their own where that is allowed, processes of their own, a look at who sleeps, and a
// check that nothing was left behind.
//
//	func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }
//
// Run as root, Main runs the tests in private IPC, mount and network namespaces:
// own message queues, semaphores and shared memory, own /dev/mqueue and
// /dev/shm, only a loopback interface. Elsewhere they run where they are, the leak
// check looks at this test process's own names only, and go test -v says so.
package ipctest

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// namePrefix marks the objects of this test process.
var namePrefix = fmt.Sprintf("unp-test-%d-", os.Getpid())

var nameCount atomic.Int64

// Name is a new name for an IPC object or file, without a slash: letters, digits
// and dashes, unique on this machine, with the test's name in it.
func Name(t testing.TB) string {
	t.Helper()
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, t.Name())
	if len(safe) > 60 {
		safe = safe[:60]
	}
	return fmt.Sprintf("%s%d-%s", namePrefix, nameCount.Add(1), safe)
}

// Require skips the test for want of the named capability. With UNPIPC_NO_SKIP
// set, as in the Docker image and in CI, it fails instead.
func Require(t testing.TB, have bool, capability string) {
	t.Helper()
	if have {
		return
	}
	if os.Getenv("UNPIPC_NO_SKIP") != "" {
		t.Fatalf("missing here: %s", capability)
	}
	t.Skipf("needs %s", capability)
}

// Eventually waits until the condition holds, and fails the test after a minute.
func Eventually(t testing.TB, holds func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after a minute: %s", what)
		}
	}
}

// Main runs the tests, or the role that this process was started for, and returns
// the exit status: 1 also when the tests left descriptors, children, goroutines or
// IPC objects behind.
func Main(m *testing.M) int {
	defer removeDir()
	if code, done := playRole(); done {
		return code
	}
	code, done, why := isolate()
	if done {
		return code
	}
	if !flag.Parsed() {
		flag.Parse()
	}
	if !Isolated() && testing.Verbose() {
		fmt.Fprintf(os.Stderr, "ipctest: not isolated (%s): IPC objects with other names than ipctest.Name gives are not checked for\n", why)
	}
	// Or else every process with the race detector sleeps a second at its end.
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	// The first timer opens Go's poller, which stays.
	time.Sleep(time.Nanosecond)
	before := take()
	if code := m.Run(); code != 0 {
		return code
	}
	left := leaks(before)
	if len(left) == 0 {
		return 0
	}
	fmt.Fprintln(os.Stderr, "left behind by the tests:")
	for _, l := range left {
		fmt.Fprintln(os.Stderr, "  "+l)
	}
	return 1
}
