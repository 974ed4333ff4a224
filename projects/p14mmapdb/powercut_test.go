package p14mmapdb

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The writers' file system loses its power so many times:
//
//	UNPIPC_POWER_CUTS=200 go test -run PowerCuts -v -timeout 20m ./projects/p14mmapdb
//
// This needs root, loop devices and mkfs.ext4. Without it the writers are killed instead, which
// loses nothing that the kernel has.
const powerCuts = "UNPIPC_POWER_CUTS"

// medium is where a database is when its writer comes to a sudden end.
type medium struct {
	t   testing.TB
	dir string
	dev string // loop device; "": the writer is killed
}

func newMedium(t testing.TB) *medium {
	t.Helper()
	m := &medium{t: t, dir: t.TempDir()}
	if os.Getenv(powerCuts) == "" {
		return m
	}
	disk := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.WriteFile(disk, nil, 0o600))
	require.NoError(t, os.Truncate(disk, 64<<20))
	m.sh("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", disk)
	m.dev = strings.TrimSpace(m.sh("losetup", "--find", "--show", disk))
	t.Cleanup(func() { m.sh("losetup", "--detach", m.dev) })
	m.mount()
	t.Cleanup(m.unmount)
	return m
}

func (m *medium) sh(args ...string) string {
	m.t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	require.NoError(m.t, err, "%v: %s", args, out)
	return string(out)
}

func (m *medium) mount() {
	m.t.Helper()
	require.NoError(m.t, unix.Mount(m.dev, m.dir, "ext4", 0, ""))
}

func (m *medium) unmount() {
	m.t.Helper()
	require.NoError(m.t, unix.Unmount(m.dir, 0))
}

// cut ends the file system, so that nothing that it has not written comes to the disk.
// FS_IOC_SHUTDOWN of linux/fs.h, with XFS_FSOP_GOING_FLAGS_NOLOGFLUSH.
func (m *medium) cut() {
	m.t.Helper()
	if m.dev == "" {
		return
	}
	f, err := os.Open(m.dir)
	require.NoError(m.t, err)
	defer f.Close()
	require.NoError(m.t, unix.IoctlSetPointerInt(int(f.Fd()), 0x8004587d, 2))
}

// reboot is what comes after it.
func (m *medium) reboot() {
	m.t.Helper()
	if m.dev != "" {
		m.unmount()
		m.mount()
	}
}

// lost has a writer come to an end many times, in the middle of what it does, and counts how
// often what it had reported is not there afterwards.
func lost(t *testing.T, cuts int, mode string) (times int) {
	rng := rand.New(rand.NewPCG(14, 15))
	m := newMedium(t)
	create := func(i int) *DB {
		path := filepath.Join(m.dir, fmt.Sprint("db", i))
		require.NoError(t, Create(path, 0))
		db, err := Open(path, Options{})
		require.NoError(t, err)
		fill(t, db, 2000, "value")
		return db
	}
	db := create(0)
	for i := range cuts {
		path := db.path
		require.NoError(t, db.Close())
		w := start(t, "writer", path, mode)
		said := ""
		for range 1 + rng.IntN(12) {
			said = w.says(t)
		}
		m.cut()
		require.NoError(t, w.Process.Kill())
		rest, err := io.ReadAll(w.out)
		require.NoError(t, err)
		if all := strings.Fields(string(rest)); len(all) > 0 {
			said = all[len(all)-1]
		}
		_ = w.Wait()
		m.reboot()
		db, err = Open(path, Options{})
		require.NoError(t, err)
		err = reportedIsThere(db, said)
		// Whatever is there is whole, and as good as before.
		require.NoError(t, db.Update(ctx, func(tx *Tx) error { return putNumber(tx, "0") }))
		whole(t, db)
		if err == nil && i%20 != 19 {
			continue
		}
		if err != nil {
			t.Logf("cut %d: %v", i, err)
			times++
		}
		require.NoError(t, db.Close())
		require.NoError(t, os.Remove(path))
		db = create(i + 1)
	}
	require.NoError(t, db.Close())
	return times
}

// reportedIsThere says whether the database has the number that a writer had reported last, or
// the next one.
func reportedIsThere(db *DB, said string) error {
	return db.View(func(tx *Tx) error {
		n, err := number(tx)
		if err != nil {
			return err
		}
		got, _ := strconv.Atoi(n)
		last, err := strconv.Atoi(said)
		if err == nil && got != last && got != last+1 {
			err = fmt.Errorf("%d is there, and %d was reported", got, last)
		}
		return err
	})
}

func TestPowerCuts(t *testing.T) {
	cuts, _ := strconv.Atoi(os.Getenv(powerCuts))
	if cuts == 0 {
		assert.Zero(t, lost(t, 5, "sync"), "a kill loses nothing")
		assert.Zero(t, lost(t, 5, "nosync"), "nor does it where nobody waits for the disk")
		return
	}
	assert.Zero(t, lost(t, cuts, "sync"))
	assert.NotZero(t, lost(t, min(cuts, 10), "nosync"), "without flushes it must lose something")
}
