package p08rwlock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func newTestBoard(t *testing.T) *board {
	b, at, err := newBoard(Fair)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, at.leave(b)) })
	return b
}

func nothing() {}

// Nobody takes the lock here: each of these is what a broken lock would let happen.
func TestABrokenLockIsNoticed(t *testing.T) {
	for what, test := range map[string]struct{ first, second Kind }{
		"two writers at the same time": {Writer, Writer},
		"a reader during a write":      {Writer, Reader},
		"a writer during a read":       {Reader, Writer},
	} {
		b := newTestBoard(t)
		inner := true
		outer := b.access(test.first, func() { inner = b.access(test.second, nothing) })
		assert.False(t, inner, "%s: the second one sees it", what)
		assert.False(t, outer && test.first == Reader, "%s: the reader sees that they have changed", what)
	}
	b := newTestBoard(t)
	assert.True(t, b.access(Reader, func() { assert.True(t, b.access(Reader, nothing)) }), "two readers may")
	assert.True(t, b.access(Writer, nothing))
	assert.True(t, b.access(Reader, nothing))
	assert.True(t, b.complete())
	b.writes++ // as if a write had been overwritten
	assert.False(t, b.complete())
	b.writes--
	b.cell[len(b.cell)-1]++
	assert.False(t, b.access(Reader, nothing))
	assert.False(t, b.complete())
}

func newTestTally(t *testing.T, workers int) *tally {
	fd, err := anonymous("tally", tallySize(workers))
	require.NoError(t, err)
	defer unix.Close(fd)
	tally, err := mapTally(fd, workers)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, tally.unmap()) })
	return tally
}

func TestALongWaitIsStarvationOnlyIfOthersWentAhead(t *testing.T) {
	test := Test{Readers: 2, Writers: 1, Duration: 2 * time.Second}
	long, short := 1100*time.Millisecond, 900*time.Millisecond
	for what, c := range map[string]struct {
		waited  time.Duration
		ahead   uint64
		starved bool
	}{
		"long, and many went ahead":        {long, 100, true},
		"long, on a machine that is slow":  {long, 5, false},
		"short, though many went ahead":    {short, 100, false},
		"for no time, and nobody was here": {0, 0, false},
	} {
		tally := newTestTally(t, 3)
		test.worker(2, nil, tally).note(c.waited.Nanoseconds(), c.ahead)
		text, failed := test.statistics(tally, true)
		assert.Equal(t, c.starved, failed, what)
		if c.starved {
			assert.Contains(t, text, "  Starvation detected (writer 1 waited 1100ms while the lock was taken 100 times): FAIL\n", what)
		} else {
			assert.Contains(t, text, "  No starvation detected: PASS\n", what)
		}
	}
}

func TestStatisticsAddUpAllWorkers(t *testing.T) {
	test := Test{Readers: 2, Writers: 2, Duration: time.Minute, Events: 1}
	tally := newTestTally(t, 4)
	copy(tally.worker, []record{
		{operations: 1_234_000, maxWait: 1_400_000},
		{operations: 567, maxWait: 12_499_999},
		{operations: 0},
		{operations: 456, maxWait: 44_500_000},
	})
	text, failed := test.statistics(tally, true)
	assert.False(t, failed)
	assert.Equal(t, `
Statistics:
  Read operations: 1,234,567
  Write operations: 456
  Max reader wait: 12ms
  Max writer wait: 45ms
  Data consistent: PASS
  No starvation detected: PASS
`, text)
	tally.worker[0].wrong, tally.worker[3].wrong = 2, 1
	text, failed = test.statistics(tally, false)
	assert.True(t, failed)
	assert.Contains(t, text, "  Data inconsistent (4): FAIL\n")
}

func TestCountsAndTimesAreEnglish(t *testing.T) {
	assert.Equal(t, "0 writers", count(0, "writer"))
	assert.Equal(t, "1 writer", count(1, "writer"))
	assert.Equal(t, "10 seconds", seconds(10*time.Second))
	assert.Equal(t, "1 second", seconds(time.Second))
	assert.Equal(t, "0.5 seconds", seconds(500*time.Millisecond))
}
