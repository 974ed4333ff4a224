package p12shmring

import (
	"fmt"
	"strconv"
)

// sizeWords is 1MB for 1048576.
func sizeWords(n int) string {
	for _, unit := range []struct {
		size int
		name string
	}{{1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "KB"}} {
		if n%unit.size == 0 {
			return strconv.Itoa(n/unit.size) + unit.name
		}
	}
	return strconv.Itoa(n) + "B"
}

// timesWords is "7x" or "0.52x".
func timesWords(ratio float64) string {
	switch {
	case ratio >= 9.95:
		return fmt.Sprintf("%.0fx", ratio)
	case ratio >= 0.995:
		return fmt.Sprintf("%.1fx", ratio)
	}
	return fmt.Sprintf("%.2fx", ratio)
}
