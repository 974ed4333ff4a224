package p12shmring

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseSize reads 1000, 64KB, 1MB or 1MiB: here a K is 1024.
func ParseSize(text string) (int, error) {
	digits := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(text), "B"), "I")
	n, err := scaled(digits, 1024)
	if err != nil || n < 1 || n > GreatestCapacity {
		return 0, fmt.Errorf("%q is no size from 1 byte to 2GB", text)
	}
	return int(n), nil
}

// ParseCount reads 1000, 10K or 10M, in thousands.
func ParseCount(text string) (uint64, error) {
	n, err := scaled(strings.ToUpper(text), 1000)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no number from 1 up", text)
	}
	return n, nil
}

func scaled(digits string, kilo uint64) (uint64, error) {
	scale := uint64(1)
	for i, suffix := range []string{"K", "M", "G"} {
		if t, ok := strings.CutSuffix(digits, suffix); ok {
			digits, scale = t, uint64(math.Pow(float64(kilo), float64(i+1)))
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err == nil && n > 1e15/scale {
		err = strconv.ErrRange
	}
	return n * scale, err
}

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

// countWords is "10 million" or, short, "10M" for 10,000,000.
func countWords(n uint64, short bool) string {
	for _, unit := range []struct {
		size        uint64
		name, brief string
	}{{1e9, " billion", "G"}, {1e6, " million", "M"}, {1e3, " thousand", "K"}} {
		if n%unit.size == 0 {
			if short {
				return strconv.FormatUint(n/unit.size, 10) + unit.brief
			}
			return strconv.FormatUint(n/unit.size, 10) + unit.name
		}
	}
	return strconv.FormatUint(n, 10)
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
