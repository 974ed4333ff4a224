package p05sysvmq

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
)

// newKey is a key that nobody has; what a failed test leaves of it is removed.
func newKey(t *testing.T) sysvmq.Key {
	key := unusedKey()
	t.Cleanup(func() {
		if q, err := sysvmq.Get(key, 0); err == nil {
			_ = q.Remove()
			t.Errorf("the queue was left behind")
		}
		if os.Remove(lockPath(key)) == nil {
			t.Errorf("the lock was left behind")
		}
	})
	return key
}

func TestALockHasOneOwner(t *testing.T) {
	key := newKey(t)
	_, _, err := lastOwner(key)
	require.ErrorIs(t, err, os.ErrNotExist)

	l, err := acquire(key)
	require.NoError(t, err)
	assert.Equal(t, owner{}, l.last)
	require.NoError(t, l.record(owner{5001, 98304}))

	_, err = acquire(key)
	require.ErrorIs(t, err, ErrRunning)
	assert.EqualError(t, err, "key "+key.String()+": a server is already running (process 5001)")
	o, alive, err := lastOwner(key)
	require.NoError(t, err)
	assert.True(t, alive)
	assert.Equal(t, owner{5001, 98304}, o)
	_, err = acquire(key)
	require.ErrorIs(t, err, ErrRunning, "asking does not end the lock")

	st, err := os.Stat(lockPath(key))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), st.Mode())
	require.NoError(t, l.release())
	assert.NoFileExists(t, lockPath(key))
}

func TestALockWhoseOwnerDiedTellsWhoItWas(t *testing.T) {
	key := newKey(t)
	l, err := acquire(key)
	require.NoError(t, err)
	require.NoError(t, l.record(owner{5001, 98304}))
	require.NoError(t, l.file.Close())

	o, alive, err := lastOwner(key)
	require.NoError(t, err)
	assert.False(t, alive)
	assert.Equal(t, owner{5001, 98304}, o)

	l, err = acquire(key)
	require.NoError(t, err)
	assert.Equal(t, owner{5001, 98304}, l.last)
	require.NoError(t, l.record(owner{7, 7}))
	o, _, err = lastOwner(key)
	require.NoError(t, err)
	assert.Equal(t, owner{7, 7}, o, "nothing of a longer record is left")
	require.NoError(t, l.release())
}

func TestAFileOfAnotherLockStays(t *testing.T) {
	key := newKey(t)
	first, err := acquire(key)
	require.NoError(t, err)
	require.NoError(t, os.Remove(lockPath(key)))
	second, err := acquire(key)
	require.NoError(t, err)
	require.NoError(t, first.release())
	assert.FileExists(t, lockPath(key))
	require.NoError(t, second.release())
}

func TestOnlyAPlainFileOfOursIsLocked(t *testing.T) {
	key := newKey(t)
	path := lockPath(key)
	precious := path + ".precious"
	require.NoError(t, os.WriteFile(precious, []byte("keep"), 0o600))
	defer os.Remove(precious)
	require.NoError(t, os.Symlink(precious, path))
	_, err := acquire(key)
	assert.ErrorIs(t, err, unix.ELOOP)
	require.NoError(t, os.Remove(path))

	require.NoError(t, unix.Mkfifo(path, 0o600))
	_, err = acquire(key)
	assert.ErrorIs(t, err, errNotPlain)
	_, _, err = lastOwner(key)
	assert.ErrorIs(t, err, errNotPlain)
	require.NoError(t, os.Remove(path))

	text, err := os.ReadFile(precious)
	require.NoError(t, err)
	assert.Equal(t, "keep", string(text))

	if os.Geteuid() == 0 {
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chown(path, 65534, -1))
		_, err = acquire(key)
		assert.ErrorIs(t, err, errNotOurs)
		require.NoError(t, os.Remove(path))
	}
}
