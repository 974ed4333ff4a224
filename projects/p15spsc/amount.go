package p15spsc

import (
	"fmt"
	"math/bits"
)

// DefaultCapacity is 32 KiB of slots, which stay in a CPU's cache.
const DefaultCapacity = 4096

// CheckCapacity says what is wrong with a number of slots.
func CheckCapacity(n int) error {
	if n < 1 || n > MaxCapacity || bits.OnesCount(uint(n)) != 1 {
		return fmt.Errorf("%d is no power of two from 1 to %d", n, MaxCapacity)
	}
	return nil
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
