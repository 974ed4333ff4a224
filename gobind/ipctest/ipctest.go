// Package ipctest is what tests of IPC need: names nobody else uses, a world of
// their own where that is allowed, and a check that nothing was left behind.
//
//	func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }
//
// Run as root, Main runs the tests in private IPC, mount and network namespaces:
// own message queues, semaphores and shared memory, own /dev/mqueue and
// /dev/shm, only a loopback interface. Elsewhere they run where they are, and
// the leak check looks at this test's own names only.
package ipctest

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
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

// Main runs the tests and returns the exit status: 1 also when they left
// descriptors, children, goroutines or IPC objects behind.
func Main(m *testing.M) int {
	if code, done := isolate(); done {
		return code
	}
	before := take()
	code := m.Run()
	if code != 0 {
		return code
	}
	if left := leaks(before); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind by the tests:")
		for _, l := range left {
			fmt.Fprintln(os.Stderr, "  "+l)
		}
		return 1
	}
	return 0
}
