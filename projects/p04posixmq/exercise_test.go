package p04posixmq

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "p04posixmq") }

func TestLeftovers(t *testing.T) {
	runtime := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	names := func() (names []string) {
		left, err := leftovers()
		require.NoError(t, err)
		for _, l := range left {
			names = append(names, l.Name)
		}
		return names
	}
	assert.Empty(t, names())

	place := func() Place {
		p := Place{Queue: "/" + ipctest.Name(t)}
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
	left, err := leftovers()
	require.NoError(t, err)
	require.NoError(t, q.Send([]byte("0 a job"), 0)) // it comes to life
	for _, l := range left {
		assert.ErrorIs(t, l.Remove(), errUsed)
	}
	_, _, err = q.Receive(make([]byte, 8192))
	require.NoError(t, err)
	for _, l := range left {
		assert.NoError(t, l.Remove())
	}
	assert.Empty(t, names())
	assert.NoDirExists(t, s.dir)
	_, err = posixmq.Open(dead.Queue, unix.O_RDONLY, 0, nil)
	assert.ErrorIs(t, err, os.ErrNotExist)
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
	left, err := leftovers()
	require.NoError(t, err)
	assert.Empty(t, left, "neither one's, nor that of one with another directory")
	d.kill()
	left, err = leftovers()
	require.NoError(t, err)
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
