package ipctest_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/process"
)

// leakEnv tells TestLeaker, in a test process of its own, what to leave behind.
const leakEnv = "UNPIPC_IPCTEST_LEAK"

// leakers leave one thing behind each.
var leakers = map[string]func(t *testing.T) error{
	"nothing": func(*testing.T) error { return nil },
	"descriptor": func(*testing.T) error {
		_, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	},
	"eventfd": func(*testing.T) error {
		_, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		return err
	},
	"goroutine": func(*testing.T) error {
		go leakedGoroutine()
		return nil
	},
	// Not by os/exec, whose descriptor of the child is left now and then, too.
	"child": func(*testing.T) error {
		_, err := process.Start(&process.Cmd{Args: []string{"/bin/cat"}, Files: []int{0, 1, 2}})
		return err
	},
	"zombie": func(t *testing.T) error {
		if _, err := process.Start(&process.Cmd{Args: []string{"/bin/true"}}); err != nil {
			return err
		}
		_, err := process.Ended(t.Context())
		return err
	},
	"shared memory file": func(t *testing.T) error {
		return os.WriteFile(filepath.Join("/dev/shm", ipctest.Name(t)), nil, 0o600)
	},
	"semaphore file": func(t *testing.T) error {
		return os.WriteFile(filepath.Join("/dev/shm", "sem."+ipctest.Name(t)), nil, 0o600)
	},
	"temporary file": func(t *testing.T) error {
		return os.WriteFile(filepath.Join(os.TempDir(), ipctest.Name(t)), nil, 0o600)
	},
	"message queue": func(t *testing.T) error {
		// The system call takes the name without its slash.
		name, err := unix.BytePtrFromString(ipctest.Name(t))
		if err != nil {
			return err
		}
		fd, _, errno := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(name)), unix.O_CREAT|unix.O_RDWR, 0o600, 0, 0, 0)
		if errno != 0 {
			return errno
		}
		return unix.Close(int(fd))
	},
	"System V message queue": func(*testing.T) error { return get(unix.SYS_MSGGET, unix.IPC_PRIVATE, 0o600, 0) },
	"System V semaphore set": func(*testing.T) error { return get(unix.SYS_SEMGET, unix.IPC_PRIVATE, 1, 0o600) },
	"System V shared memory": func(*testing.T) error { return get(unix.SYS_SHMGET, unix.IPC_PRIVATE, 1, 0o600) },
}

func leakedGoroutine() { select {} }

func get(call, key, a, b uintptr) error {
	if _, _, errno := unix.Syscall(call, key, a, b); errno != 0 {
		return errno
	}
	return nil
}

// TestLeaker is no test of this process: the tests below run it in others.
func TestLeaker(t *testing.T) {
	if leak := os.Getenv(leakEnv); leak != "" {
		require.NoError(t, leakers[leak](t))
	}
}

// runLeaker runs TestLeaker alone in a test process that finds no namespaces made
// for it, as this user or as one who may do nothing.
func runLeaker(t *testing.T, leak string, unprivileged bool) (output string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^TestLeaker$", "-test.v")
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "UNPIPC_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, leakEnv+"="+leak)
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if unprivileged && os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	// A file, because a leaked child would keep a pipe open.
	out, err := os.Create(filepath.Join(t.TempDir(), "output"))
	require.NoError(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	// Closed by Wait, which ends the leaked child.
	_, err = cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_ = cmd.Wait()
	text, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	return string(text), cmd.ProcessState.ExitCode()
}

func TestMainNamesEveryKindOfThingThatIsLeftBehind(t *testing.T) {
	for leak, c := range map[string]struct {
		says     string
		isolated bool // found only where nobody else works
		mqueue   bool // found only where /dev/mqueue is mounted
	}{
		"descriptor":             {says: "-> /dev/null"},
		"eventfd":                {says: "-> anon_inode:[eventfd]"},
		"goroutine":              {says: "leakedGoroutine"},
		"child":                  {says: "(cat)\n"},
		"zombie":                 {says: "(true), a zombie"},
		"shared memory file":     {says: "/dev/shm/unp-test-"},
		"semaphore file":         {says: "/dev/shm/sem.unp-test-"},
		"temporary file":         {says: "/unp-test-"},
		"message queue":          {says: "/dev/mqueue/unp-test-", mqueue: true},
		"System V message queue": {says: "System V message queue, key 0, id ", isolated: true},
		"System V semaphore set": {says: "System V semaphore set, key 0, id ", isolated: true},
		"System V shared memory": {says: "System V shared memory, key 0, id ", isolated: true},
	} {
		for _, unprivileged := range []bool{false, true} {
			private := mayIsolate() && !unprivileged
			if c.isolated && !private || c.mqueue && !private && !mounted("/dev/mqueue") {
				continue
			}
			t.Run(leak+map[bool]string{true: ", without privilege"}[unprivileged], func(t *testing.T) {
				output, status := runLeaker(t, leak, unprivileged)
				assert.Equal(t, 1, status, output)
				assert.Contains(t, output, "left behind by the tests:\n  ")
				assert.Contains(t, output, c.says)
				assert.Equal(t, 1, strings.Count(output, "\n  "), "one thing was left, one is named:\n%s", output)
				if file := regexp.MustCompile(`(?m)^  (/.*)$`).FindStringSubmatch(output); file != nil && (!private || leak == "temporary file") {
					assert.NoError(t, os.Remove(file[1]), "named as it can be found")
				}
			})
		}
	}
}

func TestMainIsContentWithTestsThatLeaveNothing(t *testing.T) {
	for _, unprivileged := range []bool{false, true} {
		output, status := runLeaker(t, "nothing", unprivileged)
		assert.Equal(t, 0, status, output)
		assert.NotContains(t, output, "left behind")
	}
}

func TestMainSaysThatTestsAreNotIsolatedOnlyWhenTheyAreNot(t *testing.T) {
	output, _ := runLeaker(t, "nothing", true)
	assert.Equal(t, 1, strings.Count(output, "ipctest: "), output)
	assert.Contains(t, output, "ipctest: not isolated (not root): ")
	if mayIsolate() {
		output, _ = runLeaker(t, "nothing", false)
		assert.NotContains(t, output, "ipctest: ")
	}
}

// mayIsolate says whether this process was isolated itself.
func mayIsolate() bool { return os.Getenv("UNPIPC_IPCTEST_ISOLATED") != "" }

func mounted(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && st.Type == 0x19800202 // MQUEUE_MAGIC
}
