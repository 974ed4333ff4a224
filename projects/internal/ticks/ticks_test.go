package ticks_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/ticks"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestTicksAreAboutTheSystemsTime(t *testing.T) {
	begin, start := time.Now(), ticks.Now()
	time.Sleep(50 * time.Millisecond)
	within := float64(ticks.Now()-start) / ticks.PerNanosecond()
	took := float64(time.Since(begin).Nanoseconds())
	assert.Greater(t, within, 0.5*50e6)
	assert.Less(t, within, 2*took)
}

func TestReadingCostsLittle(t *testing.T) {
	assert.Less(t, float64(ticks.Cost()), 10_000*ticks.PerNanosecond(), "the least of many")
}
