package p04posixmq

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/script"
)

// TestMain lets two scripts run at a time, however many CPUs there are: each has a
// queue of the default size, and nine of those are all that RLIMIT_MSGQUEUE grants a
// user, over all packages that are tested at this moment.
func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "2")
	os.Exit(ipctest.Main(m))
}

func TestScripts(t *testing.T) { script.Test(t, "p04posixmq") }

// leftoversOfTests leaves out what else may have been left on this machine.
func leftoversOfTests(t *testing.T) []exercise.Leftover {
	t.Helper()
	left, err := leftovers()
	require.NoError(t, err)
	return slices.DeleteFunc(left, func(l exercise.Leftover) bool { return !strings.Contains(l.Name, "unp-test-") })
}

func TestLeftovers(t *testing.T) {
	runtime := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	names := func() (names []string) {
		for _, l := range leftoversOfTests(t) {
			names = append(names, l.Name)
		}
		return names
	}
	assert.Empty(t, names())

	place := func() Place {
		p := Place{Queue: "/" + ipctest.Name(t), MaxMessages: 2, MessageSize: 64}
		t.Cleanup(func() { _ = posixmq.Unlink(p.Queue) })
		return p
	}
	furnish := func(p Place) (state, *posixmq.Queue) {
		s, err := openState(p.stateDir(), true)
		require.NoError(t, err)
		q, _, err := p.open(unix.O_RDWR)
		require.NoError(t, err)
		t.Cleanup(func() { _ = q.Close() })
		return s, q
	}
	waiting := place()
	_, err := Submit(t.Context(), waiting, 0, "a job", Patience{})
	require.NoError(t, err)
	interrupted := place()
	s, _ := furnish(interrupted)
	require.NoError(t, os.WriteFile(s.of("running", 3), nil, 0o600))
	foreign := place()
	_, q := furnish(foreign)
	require.NoError(t, q.Send([]byte("0 a job"), 0))
	open := place()
	s, _ = furnish(open)
	require.NoError(t, os.Chmod(s.dir, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(runtime, statePrefix+"file"), nil, 0o600))
	assert.Empty(t, names())

	dead := place()
	s, q = furnish(dead)
	assert.Equal(t, []string{"message queue " + dead.Queue, s.dir}, names())
	left := leftoversOfTests(t)
	require.NoError(t, q.Send([]byte("0 a job"), 0)) // it comes to life
	for _, l := range left {
		assert.ErrorIs(t, l.Remove(), errUsed)
	}
	_, _, err = q.Receive(make([]byte, 64))
	require.NoError(t, err)
	for _, l := range left {
		assert.NoError(t, l.Remove())
	}
	assert.Empty(t, names())
	assert.NoDirExists(t, s.dir)
	_, err = posixmq.Open(dead.Queue, unix.O_RDONLY, 0, nil)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestWhatAKilledBenchmarkLeftIsFound(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	gone := exec.Command("true")
	require.NoError(t, gone.Run())
	for pid, left := range map[int]bool{gone.Process.Pid: true, os.Getpid(): false} {
		dir := filepath.Join(benchFolder(), fmt.Sprintf("unpipc-%d-jobs-7", pid))
		require.NoError(t, os.Mkdir(dir, 0o700))
		defer os.RemoveAll(dir)
		name := "/" + filepath.Base(dir)
		q, err := posixmq.Open(name, unix.O_CREAT|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 1, MsgSize: 8})
		require.NoError(t, err)
		defer posixmq.Unlink(name)
		require.NoError(t, q.Close())
		all, err := leftovers()
		require.NoError(t, err)
		i := slices.IndexFunc(all, func(l exercise.Leftover) bool { return l.Name == dir })
		require.Equal(t, left, i >= 0)
		if left {
			require.NoError(t, all[i].Remove())
			assert.NoDirExists(t, dir)
			assert.ErrorIs(t, posixmq.Unlink(name), os.ErrNotExist)
		}
	}
}

func TestADispatcherThatRunsIsNoLeftover(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	r := &rig{t: t, dir: t.TempDir(), bin: build(t)["C"], place: Place{Queue: "/" + ipctest.Name(t)}}
	r.place.State = DefaultState(r.place.Queue)
	d := r.start()
	elsewhere := newRig(t, r.bin)
	_, err := openState(DefaultState(elsewhere.place.Queue), true)
	require.NoError(t, err)
	elsewhere.start()
	assert.Empty(t, leftoversOfTests(t), "neither one's, nor that of one with another directory")
	d.kill()
	left := leftoversOfTests(t)
	require.Len(t, left, 2)
	for _, l := range left {
		assert.NoError(t, l.Remove())
	}
}

// TestRows runs each row once, over programs that were built for the test.
func TestRows(t *testing.T) {
	built := build(t)
	bin := t.TempDir()
	require.NoError(t, os.Symlink(built["Go"], filepath.Join(bin, "p04")))
	ref := filepath.Join(bin, "p04", "ref")
	require.NoError(t, os.Symlink(built["C"], ref))
	cfg := measure.Config{Runs: 1, Budget: time.Millisecond, Bin: bin}.Defaults()
	results, err := measure.Run(t.Context(), rows(cfg), cfg, nil)
	require.NoError(t, err)
	require.Len(t, results.Rows, 3)
	for _, r := range results.Rows {
		assert.Empty(t, r.Failed+r.Skipped, r.Name)
	}
}
