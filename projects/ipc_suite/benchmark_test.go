package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
)

// listed are the rows that the flags choose, as group and name.
func listed(t *testing.T, flags ...string) map[string]bool {
	t.Helper()
	status, stdout, stderr := suite(t, append([]string{"benchmark", "--list"}, flags...)...)
	require.Zero(t, status, stderr)
	rows := map[string]bool{}
	for line := range strings.Lines(stdout) {
		group, rest := line[:19], line[20:] // the columns of the list
		rows[strings.TrimSpace(group)+": "+strings.Fields(rest)[0]] = true
	}
	return rows
}

func TestEveryGroupOfRowsIsInAQuickRunToo(t *testing.T) {
	groups := func(rows map[string]bool) map[string]bool {
		all := map[string]bool{}
		for row := range rows {
			group, name, _ := strings.Cut(row, ": ")
			kind, _, _ := strings.Cut(name, "_")
			if !strings.HasPrefix(group, "exercise") {
				group += " " + kind
			}
			all[group] = true
		}
		return all
	}
	full, quick := listed(t, "--all"), listed(t, "--all", "--quick")
	assert.Less(t, len(quick), len(full))
	assert.Equal(t, groups(full), groups(quick))
}

func TestEveryMechanismIsMeasured(t *testing.T) {
	rows := listed(t, "--all")
	for _, mechanism := range []string{"pipe", "fifo", "vmsplice", "unix_stream", "unix_seqpacket", "unix_dgram", "tcp",
		"posix_mq", "sysv_mq", "shm_sem", "rpc_tcp", "rpc_udp", "rpc_unix"} {
		assert.True(t, rows["transfer: bw_"+mechanism], mechanism)
		assert.True(t, rows["transfer: lat_"+mechanism], mechanism)
	}
	for _, lock := range []string{"mutex", "rwlock", "sem", "sem_named", "semop", "semop_undo"} {
		assert.True(t, rows["lock contention: incr_"+lock+"_threads"], lock)
		assert.True(t, rows["lock contention: incr_"+lock+"_processes"], lock)
	}
	assert.True(t, rows["lock contention: incr_reclock_processes"])
	for _, wait := range []string{"cond", "barrier", "sem", "semop"} {
		assert.True(t, rows["lock wake-ups: lat_"+wait+"_processes"], wait)
	}
}

func TestDetailThatIsAskedForByNameIsInAQuickRun(t *testing.T) {
	assert.Equal(t, map[string]bool{"exercise 15: spsc_steps": true}, listed(t, "--only", "^spsc_steps$", "--quick"))
}

func TestResultsAsJSONCanBeLoaded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.json")
	status, _, stderr := suite(t, "benchmark", "--only", "^call_mutex$", "--quick", "--within", "100ms", "--format", "json", "-o", file)
	require.Zero(t, status, stderr)
	res, err := measure.Load(file)
	require.NoError(t, err)
	require.Len(t, res.Rows, 1)
	assert.True(t, res.Quick)
	assert.Equal(t, 4, res.Runs)
	assert.Contains(t, res.Rows[0].Variants[1].Skipped, "make build", "the C program is not beside this one")
}
