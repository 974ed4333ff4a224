package process_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/process"
)

// openFiles is what a process has open: number → name.
func openFiles(pid int) map[int]string {
	open := map[int]string{}
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil {
			fd, _ := strconv.Atoi(filepath.Base(link))
			open[fd] = filepath.Base(target)
		}
	}
	return open
}

// The role "files" has files a to e open close-on-exec as descriptors 0 to 4, does
// what its case says, and compares what the program has open with what it should.
var _ = ipctest.Role("files", func(args []string) int {
	c := permutations[args[1]]
	// Go's poller wants descriptors, so while there are some; above those in use.
	if unix.Dup2(0, 3) != nil || unix.Dup2(0, 4) != nil {
		return 10
	}
	time.Sleep(time.Nanosecond)
	for to, name := range []string{"a", "b", "c", "d", "e"} {
		fd, err := unix.Open(filepath.Join(args[0], name), unix.O_RDWR|unix.O_CREAT, 0o600)
		if err != nil || unix.Dup2(fd, to) != nil || unix.Close(fd) != nil {
			return 11
		}
	}
	if unix.CloseRange(0, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) != nil {
		return 12
	}
	for _, fd := range c.inherit {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return 13
		}
	}
	if c.exhaust && exhaustDescriptors(5) != nil {
		return 14
	}
	p, err := process.Start(&process.Cmd{Args: []string{"/bin/sleep", "60"}, Files: c.files, Close: c.close})
	if c.exhaust {
		unix.Close(4) // it takes a descriptor to look
	}
	if !errors.Is(err, c.err) {
		return 15
	}
	if err != nil {
		_, err = process.Ended(context.Background())
		return map[bool]int{false: 16}[errors.Is(err, unix.ECHILD)]
	}
	defer p.Wait()
	defer p.Signal(unix.SIGKILL)
	var open map[int]string
	for range 10_000 { // the kernel closes the others just after Start
		if open = openFiles(p.Pid()); maps.Equal(open, c.has) {
			return 0
		}
		time.Sleep(time.Millisecond)
	}
	return 20
})

// exhaustDescriptors leaves this process no descriptor beyond those below n.
func exhaustDescriptors(n uint64) error {
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n})
}

var permutations = map[string]struct {
	files, close []int
	inherit      []int // not close-on-exec when the program is started
	exhaust      bool  // with no descriptor left
	has          map[int]string
	err          error
}{
	"in place already, though close-on-exec": {files: []int{0, 1, 2}, has: map[int]string{0: "a", 1: "b", 2: "c"}},
	"0 and 1 swapped":                        {files: []int{1, 0, 2}, has: map[int]string{0: "b", 1: "a", 2: "c"}},
	"a cycle of three":                       {files: []int{1, 2, 0}, has: map[int]string{0: "b", 1: "c", 2: "a"}},
	"the other cycle of three":               {files: []int{2, 0, 1}, has: map[int]string{0: "c", 1: "a", 2: "b"}},
	"two cycles of two":                      {files: []int{1, 0, 3, 2}, has: map[int]string{0: "b", 1: "a", 2: "d", 3: "c"}},
	"one source for all":                     {files: []int{1, 1, 1}, has: map[int]string{0: "b", 1: "b", 2: "b"}},
	"an overwritten source for two":          {files: []int{4, 0, 0}, has: map[int]string{0: "e", 1: "a", 2: "a"}},
	"a closed source":                        {files: []int{-1, 0, 2}, has: map[int]string{1: "a", 2: "c"}},
	"from high to low":                       {files: []int{4, 3, 2}, has: map[int]string{0: "e", 1: "d", 2: "c"}},
	"from low to high":                       {files: []int{-1, -1, -1, 0, 1, -1, 2}, has: map[int]string{3: "a", 4: "b", 6: "c"}},
	"all closed":                             {files: []int{-1, -1, -1}, has: map[int]string{}},
	"any negative number closes":             {files: []int{-7, 1}, has: map[int]string{1: "b"}},
	"nothing but 0, 1 and 2":                 {files: []int{3, 4, 4}, has: map[int]string{0: "d", 1: "e", 2: "e"}},
	"none named, so none inherited":          {files: nil, has: map[int]string{}},
	"those without close-on-exec go along":   {files: []int{0}, inherit: []int{1, 4}, has: map[int]string{0: "a", 1: "b", 4: "e"}},
	"unless closed":                          {files: []int{0}, close: []int{4, 4, 1000}, inherit: []int{1, 4}, has: map[int]string{0: "a", 1: "b"}},
	"Close does not reach into Files":        {files: []int{1, 0}, close: []int{0, 1, -1}, has: map[int]string{0: "b", 1: "a"}},
	"a source may be closed":                 {files: []int{4}, close: []int{4}, inherit: []int{4}, has: map[int]string{0: "e"}},
	"a source that is not open":              {files: []int{0, 199}, err: unix.EBADF},
	"not open, and in place":                 {files: append(slices.Repeat([]int{-1}, 199), 199), err: unix.EBADF},
	"a number that is no int in C":           {files: []int{1 << 32}, err: unix.EBADF},
	"and none to close":                      {files: []int{0}, close: []int{1 << 32}, err: unix.EBADF},

	"in place with none left":           {files: []int{0, 1, 2}, exhaust: true, has: map[int]string{0: "a", 1: "b", 2: "c"}},
	"a pipe's ends with none left":      {files: []int{3, 4, 2}, exhaust: true, has: map[int]string{0: "d", 1: "e", 2: "c"}},
	"moved down with none left":         {files: []int{1, 2, 3}, exhaust: true, has: map[int]string{0: "b", 1: "c", 2: "d"}},
	"standard error like output":        {files: []int{0, 3, 3}, exhaust: true, has: map[int]string{0: "a", 1: "d", 2: "d"}},
	"to turn a cycle takes one":         {files: []int{1, 0, 2}, exhaust: true, err: unix.EMFILE},
	"a number over the limit":           {files: []int{0, 1, 2, 3, 4, 0}, exhaust: true, err: unix.EBADF},
	"a limit is no reason not to close": {files: []int{0, -1, -1, -1, -1, -1, -1}, exhaust: true, has: map[int]string{0: "a"}},
}

func TestFilesBecomeTheProgramsDescriptors(t *testing.T) {
	for name := range permutations {
		t.Run(name, func(t *testing.T) {
			cmd := ipctest.Command(t, "files", t.TempDir(), name)
			cmd.Run()
			assert.Equal(t, 0, cmd.ProcessState.ExitCode(), "a status of the role, of which 20 means other descriptors")
		})
	}
}

// With no descriptor left, an exec that fails must still be told.
var _ = ipctest.Role("exhausted", func([]string) int {
	if err := exhaustDescriptors(3); err != nil {
		return 10
	}
	if _, err := unix.Open("/dev/null", unix.O_RDONLY, 0); err != unix.EMFILE {
		return 11
	}
	if _, err := process.Start(&process.Cmd{Args: []string{"/no/such"}}); !errors.Is(err, fs.ErrNotExist) {
		return 12
	}
	// The loader of a dynamic program needs a descriptor: there is one without 0.
	p, err := process.Start(&process.Cmd{Args: []string{"/bin/sh", "-c", "exit 9"}, Files: []int{-1, 1, 2}})
	if err != nil {
		return 13
	}
	st, err := p.Wait()
	if err != nil {
		return 14
	}
	return st.Code()
})

func TestStartNeedsNoDescriptor(t *testing.T) {
	cmd := ipctest.Command(t, "exhausted")
	cmd.Run()
	assert.Equal(t, 9, cmd.ProcessState.ExitCode(), "the status of the role's program")
}

func TestTheLimitOfOpenFilesIsTheOneThisProcessWasStartedWith(t *testing.T) {
	shell := []string{"/bin/sh", "-c", `ulimit -Sn 100 && exec "$@"`, "sh"}
	for _, role := range []struct{ name, limit string }{{"limit", "100\n"}, {"changed limit", "90\n"}} {
		out, st := output(t, process.Cmd{Args: append(shell, ipctest.RoleArgs(role.name)...)})
		assert.Equal(t, role.limit, out)
		assert.Zero(t, st.Code())
	}
}

func ulimit() int {
	p, err := process.Start(&process.Cmd{Args: []string{"/bin/sh", "-c", "ulimit -Sn"}, Files: []int{0, 1, 2}})
	if err != nil {
		return 10
	}
	st, _ := p.Wait()
	return st.Code()
}

var (
	_ = ipctest.Role("limit", func([]string) int { return ulimit() })
	_ = ipctest.Role("changed limit", func([]string) int {
		var files unix.Rlimit
		if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) != nil || files.Cur <= 100 {
			return 11 // Go no longer raises it?
		}
		files.Cur = 90
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &files) != nil {
			return 12
		}
		return ulimit()
	})
)

func TestManyDescriptorsCanBeHandedOn(t *testing.T) {
	// More than the 1024 that select(2) and old limits know.
	const n = 1200
	var files unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &files))
	ipctest.Require(t, files.Cur > n, "a limit of more than 1200 open files")
	p := sleeper(t, process.Cmd{Files: make([]int, n)})
	ipctest.Eventually(t, func() bool { return len(openFiles(p.Pid())) == n }, "all are open there")
}
