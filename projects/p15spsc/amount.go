package p15spsc

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// DefaultCapacity is 32 KiB of slots, which stay in a CPU's cache.
const DefaultCapacity = 4096

// ParseCount reads 1000, 10K or 100M, in thousands, up to a million G.
func ParseCount(text string) (uint64, error) {
	scale := uint64(1)
	digits := strings.ToUpper(text)
	for i, suffix := range []string{"K", "M", "G"} {
		if t, ok := strings.CutSuffix(digits, suffix); ok {
			digits, scale = t, uint64(math.Pow(1000, float64(i+1)))
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n < 1 || n > 1e15/scale {
		return 0, fmt.Errorf("%q is no number from 1 up", text)
	}
	return n * scale, nil
}

// CheckCapacity says what is wrong with a number of slots.
func CheckCapacity(n int) error {
	if n < 1 || n > MaxCapacity || bits.OnesCount(uint(n)) != 1 {
		return fmt.Errorf("%d is no power of two from 1 to %d", n, MaxCapacity)
	}
	return nil
}

// countWords is "100 million" for 100,000,000.
func countWords(n uint64) string {
	for _, unit := range []struct {
		size uint64
		name string
	}{{1e9, "billion"}, {1e6, "million"}, {1e3, "thousand"}} {
		if n >= unit.size && n%unit.size == 0 {
			return fmt.Sprintf("%d %s", n/unit.size, unit.name)
		}
	}
	return strconv.FormatUint(n, 10)
}

// rateWords is "45M" or "3.2M" or "800K" operations a second.
func rateWords(perSecond float64) string {
	switch {
	case perSecond >= 9.95e6:
		return fmt.Sprintf("%.0fM", perSecond/1e6)
	case perSecond >= 0.995e6:
		return fmt.Sprintf("%.1fM", perSecond/1e6)
	}
	return fmt.Sprintf("%.0fK", perSecond/1e3)
}
