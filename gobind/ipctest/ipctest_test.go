package ipctest_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

func TestNamesFitEveryKindOfObjectAndNeverRepeat(t *testing.T) {
	t.Run("a name/with \"odd\" bytes \xff and far more of them than any kind of object could ever take", func(t *testing.T) {
		seen := map[string]bool{}
		for range 100 {
			name := ipctest.Name(t)
			assert.Regexp(t, regexp.MustCompile(`^[A-Za-z0-9-]+$`), name)
			assert.Less(t, len(name), 108, "a Unix socket's path is shorter")
			assert.False(t, seen[name], name)
			seen[name] = true
		}
	})
}

func TestMissingCapabilitiesSkipOrFail(t *testing.T) {
	for _, c := range []struct {
		noSkip, have              string
		skipped, failed, finished bool
	}{
		{noSkip: "", have: "", skipped: true},
		{noSkip: "1", have: "", failed: true},
		{noSkip: "", have: "1", finished: true},
		{noSkip: "1", have: "1", finished: true},
	} {
		t.Setenv("UNPIPC_NO_SKIP", c.noSkip)
		f, finished := &recorder{TB: t}, false
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			ipctest.Require(f, c.have != "", "a unicorn")
			finished = true
		}()
		<-done
		assert.Equal(t, c.skipped, f.skipped, c)
		assert.Equal(t, c.failed, f.failed, c)
		assert.Equal(t, c.finished, finished, c)
	}
}

// recorder is a test that only notes how it ended.
type recorder struct {
	testing.TB
	skipped, failed bool
}

var errEnded = errors.New("ended")

func (r *recorder) Helper()               {}
func (r *recorder) Fatalf(string, ...any) { r.failed = true; panic(errEnded) }
func (r *recorder) Skipf(string, ...any)  { r.skipped = true; panic(errEnded) }

func TestIsolatedTestsShareNothingWithTheSystem(t *testing.T) {
	if !mayIsolate() {
		// Without the privilege, a container's for one, tests run where they are.
		inner, err := os.Readlink("/proc/self/ns/ipc")
		require.NoError(t, err)
		outer, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/ipc", os.Getppid()))
		require.NoError(t, err)
		assert.Equal(t, outer, inner)
		return
	}
	outside := fmt.Sprintf("/proc/%d", os.Getppid())
	for _, kind := range []string{"ipc", "mnt", "net"} {
		inner, err := os.Readlink("/proc/self/ns/" + kind)
		require.NoError(t, err)
		outer, err := os.Readlink(outside + "/ns/" + kind)
		require.NoError(t, err)
		assert.NotEqual(t, outer, inner)
	}
	assert.True(t, mounted("/dev/mqueue"))
	file := filepath.Join("/dev/shm", ipctest.Name(t))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	defer os.Remove(file)
	assert.NoFileExists(t, outside+"/root"+file)
	for _, kind := range []string{"msg", "sem", "shm"} {
		table, err := os.ReadFile("/proc/sysvipc/" + kind)
		require.NoError(t, err)
		assert.NotContains(t, string(table), "\n ", "only the heading is there")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err, "the loopback interface is up")
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	c.Close()
}

var _ = ipctest.Role("exit", func(args []string) int {
	fmt.Printf("%q", args)
	status, _ := strconv.Atoi(args[0])
	return status
})

func TestARoleIsAProcessOfThisBinaryWithItsOwnStatus(t *testing.T) {
	out, err := ipctest.Command(t, "exit", "7", "", "-test.v").Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 7, exit.ExitCode())
	assert.Equal(t, `["7" "" "-test.v"]`, string(out))
}

func TestARoleNobodyRegisteredFails(t *testing.T) {
	out, err := ipctest.Command(t, "no such").CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, "ipctest: no role \"no such\"\n", string(out))
}
