package p15spsc

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

// The rows' processes are the programs of bin/p15, here built for the test.
func TestEveryRowVerifiesEveryItem(t *testing.T) {
	built := programs.Build(t, "p15spsc")
	bin := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(bin, "p15"), 0o700))
	for _, name := range built.Names {
		require.NoError(t, os.Symlink(filepath.Join(built.Go, name), filepath.Join(bin, "p15", name)))
	}
	require.NoError(t, os.Symlink(built.C, filepath.Join(bin, "p15", "ref")))
	programs.BuildPeers(t, "p15spsc", bin)
	_, noPeer := os.Stat(filepath.Join(bin, "p15", "peers", "boost_spsc"))
	cfg := measure.Config{Bin: bin}.Defaults()
	for _, row := range rows(cfg) {
		for _, v := range row.Variants {
			s, err := v.Run(t.Context(), &cfg, 300)
			if v.Name == "boost" && noPeer != nil {
				reason, _ := measure.Skipped(err)
				assert.Contains(t, reason, "libboost-dev was not there")
				continue
			}
			require.NoError(t, err, "%s %s", row.Name, v.Name)
			assert.Equal(t, int64(300), s.Verified, "%s %s", row.Name, v.Name)
			assert.Positive(t, s.Elapsed)
			if row.Unit == measure.Nanoseconds {
				require.NotNil(t, s.Times)
				assert.Equal(t, int64(300), s.Times.TotalCount(), "%s %s", row.Name, v.Name)
			}
		}
	}
}

func TestRowsWithoutProgramsAreSkippedWithTheReason(t *testing.T) {
	cfg := measure.Config{Bin: t.TempDir()}.Defaults()
	_, err := rows(cfg)[0].Variants[0].Run(t.Context(), &cfg, 10)
	reason, skipped := measure.Skipped(err)
	assert.True(t, skipped)
	assert.Contains(t, reason, "make build")
}

func TestTheReportEndsWhereItCannotBeWritten(t *testing.T) {
	full := errors.New("full")
	err := Report(t.Context(), writer(func([]byte) (int, error) { return 0, full }),
		&Plan{Iterations: 100, Capacity: 16, Kind: Cached, Threads: true})
	assert.ErrorIs(t, err, full)
	var b bytes.Buffer
	require.NoError(t, Report(t.Context(), &b, &Plan{Iterations: 2000, Capacity: 16, Kind: Batched, Threads: true}))
	assert.Regexp(t, `^Lock-Free SPSC Queue Benchmark\nOperations: 2 thousand\n\nLock-free queue: `, b.String())
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
