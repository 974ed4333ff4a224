package ipctest

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var keyCount atomic.Int32

// Key is a new key for a System V object. This process's number in it makes it unlikely
// that a program beside the tests has it, where they are not [Isolated].
func Key() int32 { return 0x75000000 | int32(os.Getpid()&0xffff)<<8 | keyCount.Add(1)&0xff }

// SystemV is what /proc/sysvipc has of an object, by the names in its heading; nil where
// it has none. kind is msg, sem or shm.
func SystemV(t testing.TB, kind string, id int) map[string]int {
	t.Helper()
	table, err := os.ReadFile("/proc/sysvipc/" + kind)
	require.NoError(t, err)
	rows := strings.Split(strings.TrimSpace(string(table)), "\n")
	names := strings.Fields(rows[0])
	for _, row := range rows[1:] {
		values := map[string]int{}
		for i, text := range strings.Fields(row) {
			base := 10
			if names[i] == "perms" {
				base = 8
			}
			n, err := strconv.ParseInt(text, base, 64)
			require.NoError(t, err)
			values[names[i]] = int(n)
		}
		if values[names[1]] == id { // msqid, semid or shmid
			return values
		}
	}
	return nil
}

// SystemVTime is a time as [SystemV] has it: in seconds, 0 for never.
func SystemVTime(t time.Time) int {
	if t.IsZero() {
		return 0
	}
	return int(t.Unix())
}
