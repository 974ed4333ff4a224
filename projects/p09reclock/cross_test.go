package p09reclock

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

// command runs a program and gives its standard output.
func command(t testing.TB, input []byte, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = bytes.NewReader(input)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	require.NoError(t, err, "%v: %s", args, errors.String())
	return string(out)
}

func TestGoAndCWorkOnOneStore(t *testing.T) {
	built := programs.Build(t, "p09reclock")
	inGo, inC := filepath.Join(built.Go, "kvstore"), filepath.Join(built.C, "kvstore")
	pairs := map[string][2]string{"Go writes and C reads": {inGo, inC}, "C writes and Go reads": {inC, inGo}}
	for name, p := range pairs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			writer, reader := p[0], p[1]
			db := filepath.Join(t.TempDir(), "store")
			large := make([]byte, MaxLength)
			_, _ = rand.Read(large)
			command(t, large, writer, "--db", db, "set", "large", "-")
			command(t, large, writer, "--db", db, "--key-file", "-", "set", "large key")
			command(t, nil, writer, "--db", db, "set", "gone", "value")
			command(t, nil, writer, "--db", db, "del", "gone")
			for i := range 20 {
				command(t, nil, writer, "--db", db, "set", "same", fmt.Sprint(i))
			}
			assert.True(t, string(large) == command(t, nil, reader, "--db", db, "--raw", "get", "large"))
			assert.Equal(t, "large key\n", command(t, large, reader, "--db", db, "--key-file", "-", "get"))
			assert.Equal(t, "19\n", command(t, nil, reader, "--db", db, "get", "same"))
			assert.True(t, command(t, nil, writer, "--db", db, "list") == command(t, nil, reader, "--db", db, "list"))
			assert.Equal(t, command(t, nil, writer, "--db", db, "check"), command(t, nil, reader, "--db", db, "check"))

			// Without its lock file the other one makes the store anew.
			require.NoError(t, os.Remove(db+".lock"))
			assert.Contains(t, command(t, nil, reader, "--db", db, "check"), " 3 keys ")
			assert.True(t, string(large) == command(t, nil, writer, "--db", db, "--raw", "get", "large"))
			command(t, nil, reader, "--db", db, "measure", "fill", "10000", "10000", "--no-sync")
			command(t, nil, writer, "--db", db, "measure", "gets", "10000", "10000")
			assert.Contains(t, command(t, nil, writer, "--db", db, "check"), " 10003 keys ")
		})
		t.Run(name+": locks", func(t *testing.T) {
			t.Parallel()
			db := filepath.Join(t.TempDir(), "store")
			out := command(t, nil, p[0], "--db", db, "--with", p[1], "--hold", "0.1", "lock-test", "key1")
			assert.Equal(t, "Process 1: Acquired write lock on key1\nProcess 2: Waiting for lock...\n"+
				"(Process 1 holds lock for 0.1 seconds)\nProcess 1: Released lock\nProcess 2: Acquired write lock on key1\n", out)
			out = command(t, nil, p[0], "--db", db, "--with", p[1], "deadlock-test")
			assert.Contains(t, out, "(EDEADLK)\n")
			assert.Contains(t, out, "both processes got both keys\n")
		})
	}
	for name, p := range pairs {
		t.Run(name+": stress", func(t *testing.T) {
			out := command(t, nil, p[0], "--with", p[1], "stress", "--processes", "8", "--duration", "1", "--kills", "8")
			assert.Contains(t, out, "PASS\n")
		})
	}
	t.Run("a store that is made by sixteen at once", func(t *testing.T) {
		db := filepath.Join(t.TempDir(), "store")
		var running sync.WaitGroup
		for i := range 16 {
			running.Go(func() {
				out, err := exec.Command([]string{inGo, inC}[i%2], "--db", db, "set", fmt.Sprint("key", i), "value").CombinedOutput()
				assert.NoError(t, err, string(out))
			})
		}
		running.Wait()
		assert.Contains(t, command(t, nil, inC, "--db", db, "check"), " 16 keys ")
	})
	t.Run("the rows of the benchmark are measured", func(t *testing.T) {
		bin := t.TempDir()
		require.NoError(t, os.Symlink(built.Go, filepath.Join(bin, "p09")))
		require.NoError(t, os.Symlink(built.C, filepath.Join(built.Go, "ref")))
		programs.BuildPeers(t, "p09reclock", bin)
		cfg := measure.Config{Bin: bin, Runs: 1, Budget: time.Millisecond, Timeout: time.Minute}
		res, err := measure.Run(t.Context(), stores(1000).rows(), cfg, nil)
		require.NoError(t, err)
		assert.Empty(t, res.Failures())
		require.Len(t, res.Rows, 3)
		for _, row := range res.Rows {
			require.GreaterOrEqual(t, len(row.Variants), 4)
			for i, v := range row.Variants {
				peer := []string{"go", "c", "tdb", "sqlite", "tdb"}[i]
				_, err := os.Stat(filepath.Join(bin, "p09", "peers", peer))
				assert.Equal(t, i > 1 && err != nil, v.Skipped != "", "%s in %s: %s", row.Name, v.Name, v.Skipped)
			}
		}
	})
}
