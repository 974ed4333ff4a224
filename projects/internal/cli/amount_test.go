package cli_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/cli"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestSizesAndCountsAreRead(t *testing.T) {
	for text, want := range map[string]int{"64": 64, "1KB": 1024, "1K": 1024, "1kib": 1024, "1MB": 1 << 20, "2GB": 1 << 31,
		"": 0, "0": 0, "B": 0, "3GB": 0, "-1": 0, "1.5K": 0, "1XB": 0} {
		n, err := cli.ParseSize(text)
		assert.Equal(t, want == 0, err != nil, text)
		assert.Equal(t, want, n, text)
	}
	for text, want := range map[string]uint64{"1": 1, "10K": 10_000, "100M": 100_000_000, "1g": 1e9, "1000G": 1e12,
		"": 0, "0": 0, "-1": 0, "x": 0, "K": 0, "1.5M": 0, "1000001G": 0, "9999999999G": 0, "99999999999999999999": 0, "1X": 0} {
		n, err := cli.ParseCount(text)
		assert.Equal(t, want == 0, err != nil, text)
		assert.Equal(t, want, n, text)
	}
}

func TestCountsAreWritten(t *testing.T) {
	for n, want := range map[uint64][2]string{
		1e8: {"100 million", "100M"}, 1000: {"1 thousand", "1K"}, 1234: {"1234", "1234"}, 2e9: {"2 billion", "2G"},
		1_500_000: {"1500 thousand", "1500K"}, 5e12: {"5000 billion", "5000G"}, 0: {"0", "0"},
	} {
		assert.Equal(t, want, [2]string{cli.CountWords(n), cli.ShortCount(n)})
	}
}
