package p08rwlock

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

func TestPrograms(t *testing.T) {
	built := programs.Build(t, "p08rwlock")
	folders := map[string]string{"Go": built.Go, "C": built.C}
	for policy := range policies {
		for _, pair := range [][2]string{{"Go", "C"}, {"C", "Go"}} {
			t.Run(fmt.Sprintf("%s joins %s on a lock with policy %v", pair[1], pair[0], policy), func(t *testing.T) {
				t.Parallel()
				testPair(t, folders[pair[0]], folders[pair[1]], policy)
			})
		}
	}
	for language, bin := range folders {
		t.Run("what a killed program in "+language+" leaves is found", func(t *testing.T) { testLeftover(t, bin) })
	}
	t.Run("a futex lock is one for Go and C", func(t *testing.T) { testFutexCrossed(t, folders) })
	t.Run("the rows of the benchmark are measured", func(t *testing.T) { testRows(t, folders) })
}

// start starts test_myrwlock, which goes on for long; its lines go to a file.
func start(t *testing.T, bin, log string, flags ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "test_myrwlock"), append(flags, "--duration=110s", "--events=-1")...)
	out, err := os.Create(log)
	require.NoError(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(t, cmd.Start())
	return cmd
}

func contains(t *testing.T, log, text string) bool {
	t.Helper()
	lines, err := os.ReadFile(log)
	require.NoError(t, err)
	return regexp.MustCompile(text).Match(lines)
}

// testPair has two programs use one lock at a time.
func testPair(t *testing.T, first, second string, policy Policy) {
	name := "/" + ipctest.Name(t)
	log := filepath.Join(t.TempDir(), "log")
	long := start(t, first, log, "--shared="+name, "--policy="+policy.String(), "--readers=3", "--writers=2", "--pause=20ms")
	ipctest.Eventually(t, func() bool { return contains(t, log, "released write lock") }, "the first one works")
	for _, flags := range [][]string{{}, {"--processes"}} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		out, _ := exec.CommandContext(ctx, filepath.Join(second, "test_myrwlock"), append(flags, "--shared="+name,
			"--readers=3", "--writers=2", "--pause=20ms", "--duration=1s", "--events=-1")...).CombinedOutput()
		assert.Contains(t, string(out), "Joined "+name+" (policy: "+policy.String()+")\n")
		assert.Regexp(t, `(Reader|Writer) [1-3] acquired (read|write) lock`, string(out))
		assert.Regexp(t, `(Read|Write) operations: [1-9]`, string(out))
		assert.Contains(t, string(out), "Data consistent: PASS\n")
	}
	require.NoError(t, long.Process.Signal(unix.SIGTERM))
	_ = long.Wait()
	assert.True(t, contains(t, log, "Data consistent: PASS\n"))
	assert.NoFileExists(t, filepath.Join(shmFolder, name))
}

func testLeftover(t *testing.T, bin string) {
	name := "/" + ipctest.Name(t)
	log := filepath.Join(t.TempDir(), "log")
	cmd := start(t, bin, log, "--shared="+name, "--readers=1")
	ipctest.Eventually(t, func() bool { return contains(t, log, "released") }, "it works")
	find := func() (found []func() error) {
		left, err := leftovers()
		require.NoError(t, err)
		for _, l := range left {
			if l.Name == filepath.Join(shmFolder, name) {
				found = append(found, l.Remove)
			}
		}
		return found
	}
	assert.Empty(t, find(), "it is in use")
	require.NoError(t, remove(name))
	assert.FileExists(t, filepath.Join(shmFolder, name), "it is in use")
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	found := find()
	require.Len(t, found, 1)
	require.NoError(t, found[0]())
	assert.NoFileExists(t, filepath.Join(shmFolder, name))
	require.NoError(t, found[0](), "somebody has removed it already")
}

// testRows runs each variant of each row for a few operations.
func testRows(t *testing.T, folders map[string]string) {
	bin := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(bin, "p08"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(folders["Go"], "test_myrwlock"), filepath.Join(bin, "p08", "test_myrwlock")))
	require.NoError(t, os.Symlink(folders["C"], filepath.Join(bin, "p08", "ref")))
	cfg := measure.Config{Bin: bin}.Defaults()
	for _, row := range rows(cfg) {
		for _, v := range row.Variants {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for _, n := range []int64{1, 1003} {
				sample, err := v.Run(ctx, &cfg, n)
				require.NoError(t, err, "%s: %s", row.Name, v.Name)
				assert.Equal(t, n, sample.Verified)
				assert.Positive(t, sample.Elapsed)
			}
		}
	}
	cfg.Bin = t.TempDir()
	_, err := rows(cfg)[0].Variants[0].Run(t.Context(), &cfg, 1)
	_, skipped := measure.Skipped(err)
	assert.True(t, skipped, "programs that are not there")
}

func TestALockThatIsNotKnownIsNotMeasured(t *testing.T) {
	_, err := bench("none", "", 1, 1, 0)
	assert.ErrorIs(t, err, errNoLock)
}

// mapped maps a shared memory object with a lock in it.
func mapped(name string) (*RWLock, error) {
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	memory, err := o.Map(Size, true)
	if err != nil {
		return nil, err
	}
	return At(memory)
}

// A process that ends between two stores, with the mutex.
var _ = ipctest.Role("die inside", func(args []string) int {
	l, err := mapped(args[0])
	if err != nil || l.enter() != nil {
		return 1
	}
	return 0
})

// A process that ends with the lock.
var _ = ipctest.Role("die outside", func(args []string) int {
	l, err := mapped(args[0])
	if err != nil || l.Lock() != nil {
		return 1
	}
	return 0
})

func newObject(t *testing.T, policy Policy) (*RWLock, string) {
	name := "/" + ipctest.Name(t)
	o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, posixshm.Unlink(name)) })
	require.NoError(t, o.Allocate(Size))
	memory, err := o.Map(Size, true)
	require.NoError(t, err)
	require.NoError(t, o.Close())
	t.Cleanup(func() { assert.NoError(t, posixshm.Unmap(memory)) })
	l, err := Init(memory, Attr{Policy: policy, Shared: true})
	require.NoError(t, err)
	return l, name
}

func TestAProcessThatDiesInsideAFunctionOfTheLockIsNoticedByAll(t *testing.T) {
	for policy := range policies {
		t.Run(policy.String(), func(t *testing.T) {
			l, name := newObject(t, policy)
			a, b, c := newActor(t), newActor(t), newActor(t)
			a.does(l.Lock)
			reading, writing := b.begin(l.RLock), c.begin(l.Lock)
			waiting(t, l, 1, 1)
			require.NoError(t, ipctest.Command(t, "die inside", name).Run())
			for what, call := range map[string]func() error{
				"RLock": l.RLock, "Lock": l.Lock, "TryRLock": l.TryRLock, "Unlock": l.Unlock, "Destroy": l.Destroy,
				"LockFor": func() error { return l.LockFor(time.Hour) },
			} {
				assert.ErrorIs(t, a.try(call), unix.ENOTRECOVERABLE, what)
			}
			assert.ErrorIs(t, <-reading, unix.ENOTRECOVERABLE, "who waits is told")
			assert.ErrorIs(t, <-writing, unix.ENOTRECOVERABLE, "who waits is told")
		})
	}
}

// The limit of a lock without an owner.
func TestWhatAKilledProcessHoldsStaysHeld(t *testing.T) {
	l, name := newObject(t, Fair)
	require.NoError(t, ipctest.Command(t, "die outside", name).Run())
	assert.ErrorIs(t, l.TryRLock(), unix.EBUSY)
	assert.ErrorIs(t, l.LockFor(time.Millisecond), unix.ETIMEDOUT)
	require.NoError(t, l.Unlock(), "but anybody may give it back who knows")
	require.NoError(t, l.TryLock())
	require.NoError(t, l.Unlock())
}
