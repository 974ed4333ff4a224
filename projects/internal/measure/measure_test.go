package measure_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"unpipc/projects/internal/measure"
)

func TestSweepHasARowForEachNameAndSize(t *testing.T) {
	row := measure.Row{Group: "transfer", Name: "bw_", What: "all of it"}
	variants := func(name string, size int) []measure.Variant {
		return []measure.Variant{{Name: fmt.Sprint(name, " of ", size)}}
	}
	want := func(name string, size int) measure.Row {
		return measure.Row{Group: "transfer", Name: "bw_" + name, What: "all of it", Size: size, Variants: variants(name, size)}
	}
	assert.Equal(t, []measure.Row{want("pipe", 1), want("pipe", 64), want("fifo", 1), want("fifo", 64)},
		measure.Sweep(row, []string{"pipe", "fifo"}, []int{1, 64}, variants))
}

func TestConfigSaysWhichSizesAndCPUs(t *testing.T) {
	var cfg measure.Config
	assert.Equal(t, []int{1, 2}, cfg.SizesOr([]int{1, 2}))
	assert.Equal(t, measure.TwoCPUs(), cfg.Apart().Pin)
	assert.Empty(t, cfg.Pin, "that of others is left as it was")
	cfg = measure.Config{Sizes: []int{3}, Pin: []int{0}}
	assert.Equal(t, []int{3}, cfg.SizesOr([]int{1, 2}))
	assert.Equal(t, []int{0}, cfg.Apart().Pin)
}

func TestWarmUpIsShortOfLargeMessagesAndLongOfSmallOnes(t *testing.T) {
	for size, want := range map[int]int{1: 64, 4096: 64, 8192: 32, 1 << 17: 2, 1 << 20: 2} {
		assert.Equal(t, want, measure.Warmup(size), size)
	}
}
