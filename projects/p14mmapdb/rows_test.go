package p14mmapdb

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

// The rows' processes are the programs of bin/p14, here built for the test.
func TestEveryRowVerifiesEveryRecord(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "p14", "mmapdb_load"), "./peers/mmapdb_load").CombinedOutput()
	require.NoError(t, err, "%s", out)
	programs.BuildPeers(t, "p14mmapdb", bin)
	cfg := measure.Config{Bin: bin}.Defaults()
	rows := compared(700).rows(350)
	stores := rows[0].Kept.(*kept)
	t.Cleanup(func() { assert.NoError(t, stores.Close()) })
	for _, row := range rows {
		for i, v := range row.Variants {
			s, err := v.Run(t.Context(), &cfg, 1500)
			_, missing := os.Stat(filepath.Join(bin, peers[i].program))
			if missing != nil && peers[i].library != "" || v.Name == "bbolt" && row.Name == "mmapdb_gets_beside" {
				_, skipped := measure.Skipped(err)
				assert.True(t, skipped, "%s %s", row.Name, v.Name)
				continue
			}
			require.NoError(t, err, "%s %s", row.Name, v.Name)
			assert.Equal(t, int64(1500), s.Verified, "%s %s", row.Name, v.Name)
			assert.Positive(t, s.Elapsed)
		}
	}
	require.NotEmpty(t, stores.of)
	dir := stores.of["Go"].dir
	require.DirExists(t, dir)
	require.NoError(t, stores.Close())
	assert.NoDirExists(t, dir)
}
