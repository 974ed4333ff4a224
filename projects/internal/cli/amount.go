package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseCount reads 1000, 10K or 100M, in thousands, up to a million G.
func ParseCount(text string) (uint64, error) {
	n, err := scaled(strings.ToUpper(text), 1000)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no number from 1 up", text)
	}
	return n, nil
}

// ParseSize reads 1000, 64KB, 1MB or 1MiB, where a K is 1024, up to 2 GB.
func ParseSize(text string) (int, error) {
	digits := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(text), "B"), "I")
	n, err := scaled(digits, 1024)
	if err != nil || n < 1 || n > 1<<31 {
		return 0, fmt.Errorf("%q is no size from 1 byte to 2GB", text)
	}
	return int(n), nil
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

// CountWords is "100 million" for 100,000,000.
func CountWords(n uint64) string { return inThousands(n, "", " thousand", " million", " billion") }

// ShortCount is "100M" for 100,000,000.
func ShortCount(n uint64) string { return inThousands(n, "", "K", "M", "G") }

func inThousands(n uint64, units ...string) string {
	i := 0
	for ; n > 0 && n%1000 == 0 && i < len(units)-1; i++ {
		n /= 1000
	}
	return strconv.FormatUint(n, 10) + units[i]
}
