package yield_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/yield"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestAPaceIsDueOnceInItsTimeHoweverManySteps(t *testing.T) {
	var p yield.Pace
	begin := time.Now()
	due := 0
	for time.Since(begin) < 10*yield.After {
		if p.Due(1) {
			due++
		}
	}
	assert.Positive(t, due)
	assert.LessOrEqual(t, time.Duration(due-1)*yield.After, time.Since(begin))
}

func TestAPaceIsDueAtAStepThatLooksAtTheClock(t *testing.T) {
	var p yield.Pace
	for range 3 {
		for range 9 {
			assert.False(t, p.Due(10))
		}
		assert.True(t, p.Due(10), "it was long ago")
		ipctest.Eventually(t, elapsed(yield.After), "the time goes by")
	}
}

// elapsed says whether d has gone by since it was made.
func elapsed(d time.Duration) func() bool {
	begin := time.Now()
	return func() bool { return time.Since(begin) >= d }
}
