package p06mqbench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseSize reads 1024, 1KB, 1KiB or 1k: here every K is 1024 and every M 1048576.
func ParseSize(text string) (int, error) {
	lower := strings.ToLower(text)
	lower = strings.TrimSuffix(lower, "b")
	lower = strings.TrimSuffix(lower, "i")
	n, err := scaled(lower, 1024)
	if err != nil || n < 1 || n > 1<<30 {
		return 0, fmt.Errorf("%q is no size from 1 byte to 1024MB", text)
	}
	return n, nil
}

// ParseCount reads 100000, 100K or 1M, in thousands.
func ParseCount(text string) (int, error) {
	n, err := scaled(strings.ToLower(text), 1000)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no number from 1 up", text)
	}
	return n, nil
}

func scaled(text string, kilo int) (int, error) {
	scale := 1
	if t, ok := strings.CutSuffix(text, "k"); ok {
		text, scale = t, kilo
	} else if t, ok := strings.CutSuffix(text, "m"); ok {
		text, scale = t, kilo*kilo
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err == nil && n > uint64(math.MaxInt32/scale) {
		err = strconv.ErrRange
	}
	return int(n) * scale, err
}

// size is 1KB for 1024, as the title has it.
func size(n int) string { return amount(n, 1024) + "B" }

// count is 100K for 100000.
func count(n int) string { return amount(n, 1000) }

func amount(n, kilo int) string {
	switch {
	case n%(kilo*kilo) == 0:
		return strconv.Itoa(n/kilo/kilo) + "M"
	case n%kilo == 0:
		return strconv.Itoa(n/kilo) + "K"
	}
	return strconv.Itoa(n)
}

// rate is 1.2 GB/s or 850.3 MB/s, in powers of ten.
func rate(bytesPerSecond float64) string {
	if bytesPerSecond >= 1e9 {
		return fmt.Sprintf("%.1f GB/s", bytesPerSecond/1e9)
	}
	return fmt.Sprintf("%.1f MB/s", bytesPerSecond/1e6)
}

func micros(ns float64) string { return fmt.Sprintf("%.1f µs", ns/1e3) }
