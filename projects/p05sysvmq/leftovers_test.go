package p05sysvmq

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/exercise"
)

// leftOf are the leftovers of one key.
func leftOf(t *testing.T, key sysvmq.Key) []exercise.Leftover {
	t.Helper()
	all, err := leftovers()
	require.NoError(t, err)
	var left []exercise.Leftover
	for _, l := range all {
		if assert.NotEmpty(t, l.Why) && l.Name == lockPath(key) || strings.Contains(l.Name, "key "+key.String()) {
			left = append(left, l)
		}
	}
	return left
}

// killed leaves what a killed server leaves: a queue and a file that nobody locks.
func killed(t *testing.T, key sysvmq.Key) *Server {
	t.Helper()
	s, err := Listen(key, false, &logged{}, false)
	require.NoError(t, err)
	// A child between fork and exec has the file, too: closing it here would not be enough.
	require.NoError(t, unix.FcntlFlock(s.lock.file.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_UNLCK}))
	require.NoError(t, s.lock.file.Close())
	return s
}

func TestTheQueueOfAKilledServerIsALeftover(t *testing.T) {
	key := newKey(t)
	killed(t, key)
	left := leftOf(t, key)
	require.Len(t, left, 1)
	assert.Contains(t, left[0].Name, "System V queue key "+key.String())
	require.NoError(t, left[0].Remove())
	_, err := sysvmq.Get(key, 0)
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.NoFileExists(t, lockPath(key))
	assert.Empty(t, leftOf(t, key))
}

func TestTheQueueOfALivingServerIsNone(t *testing.T) {
	key := newKey(t)
	s, err := Listen(key, false, &logged{}, false)
	require.NoError(t, err)
	assert.Empty(t, leftOf(t, key))
	require.NoError(t, s.Close())
}

func TestAServerThatCameMeanwhileKeepsItsQueue(t *testing.T) {
	key := newKey(t)
	killed(t, key)
	left := leftOf(t, key)
	require.Len(t, left, 1)
	s, err := Listen(key, false, &logged{}, false)
	require.NoError(t, err)
	assert.ErrorIs(t, left[0].Remove(), ErrRunning)
	_, err = s.queue.Stat()
	assert.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestAQueueThatSomebodyElseMadeWithTheKeyIsNotTouched(t *testing.T) {
	key := newKey(t)
	require.NoError(t, killed(t, key).queue.Remove())
	theirs, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
	require.NoError(t, err)
	left := leftOf(t, key)
	require.Len(t, left, 1)
	assert.Equal(t, lockPath(key), left[0].Name)
	require.NoError(t, left[0].Remove())
	assert.NoFileExists(t, lockPath(key))
	require.NoError(t, theirs.Remove())
}
