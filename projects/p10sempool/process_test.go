package p10sempool

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

func TestPrograms(t *testing.T) {
	built := programs.Build(t, "p10sempool")
	for language, bin := range map[string]string{"Go": built.Go, "C": built.C} {
		t.Run("a damaged table ends no program in "+language+" by a signal", func(t *testing.T) { testDamaged(t, bin) })
		t.Run("a worker in "+language+" repairs the lock of a dead one", func(t *testing.T) { testRepair(t, bin) })
		t.Run("a connection to a TCP server is lent by the manager in "+language, func(t *testing.T) { testTCP(t, bin) })
	}
	t.Run("the rows of the benchmark are measured", func(t *testing.T) { testRows(t, built) })
}

// run runs a program with a deadline and returns its output.
func run(t *testing.T, bin string, argv ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(bin, argv[0]), argv[1:]...).CombinedOutput()
	require.NoError(t, err, "%q: %s", argv, out)
	return string(out)
}

// startManager starts a manager program that ends with the test.
func startManager(t *testing.T, bin string, flags ...string) *ipctest.Log {
	t.Helper()
	log := &ipctest.Log{}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patient)
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "pool_manager"), flags...)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		assert.NoError(t, cmd.Wait(), log)
		cancel()
	})
	return log
}

func testRepair(t *testing.T, bin string) {
	for _, where := range []string{"with the lock, taking", "with the lock, releasing", "with the lock, joining"} {
		c := newPool(t, 2)
		require.Error(t, ipctest.Command(t, "killed", c.name, where).Run())
		out := run(t, bin, "worker", "--name", c.name, "--hold", "0", "1")
		assert.Contains(t, out, "Worker 1: Released connection")
		assert.NoError(t, c.lock())
		c.unlock()
	}
}

func testTCP(t *testing.T, bin string) {
	address := "tcp://" + echo(t, "tcp", "127.0.0.1:0").String()
	name := "/" + ipctest.Name(t)
	log := startManager(t, bin, "--name", name, "--connect", address, "--ping", "ARE YOU THERE", "--max-connections=2")
	ipctest.Eventually(t, func() bool { return log.String() != "" }, "it starts")
	out := run(t, bin, "worker", "--name", name, "--hold", "0", "--send", "over TCP", "1")
	assert.Contains(t, out, "Worker 1: over TCP -> over TCP\n")
	out = run(t, bin, "worker", "--name", name, "--hold", "0", "--count", "50", "2")
	assert.Contains(t, out, "Worker 2: 50 connections in ")
}

func testRows(t *testing.T, built *programs.Built) {
	dir := t.TempDir()
	require.NoError(t, exec.Command("ln", "-s", built.Go, filepath.Join(dir, "go")).Run())
	bin := filepath.Join(dir, "bin")
	require.NoError(t, exec.Command("cp", "-rL", built.Go, filepath.Join(dir, "p10")).Run())
	require.NoError(t, exec.Command("cp", "-rL", built.C, filepath.Join(dir, "p10", "ref")).Run())
	require.NoError(t, exec.Command("mkdir", bin).Run())
	require.NoError(t, exec.Command("mv", filepath.Join(dir, "p10"), bin).Run())
	cfg := measure.Config{Runs: 1, Budget: 2 * time.Millisecond, Timeout: patient, Bin: bin}
	res, err := measure.Run(t.Context(), rows(cfg), cfg, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, 2)
	for _, r := range res.Rows {
		require.Empty(t, r.Failed+r.Skipped, r.Name)
		require.Len(t, r.Variants, 2)
		for _, v := range r.Variants {
			assert.Positive(t, v.Median)
		}
	}
}
