package p18rpckv_test

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/script"
	"unpipc/projects/p18rpckv/cache"
)

func TestMain(m *testing.M) {
	// Scripts about elections mostly wait: two for each processor.
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	os.Exit(ipctest.Main(m))
}

func TestScripts(t *testing.T) {
	// Servers that a failed script has left to be killed leave their caches.
	t.Cleanup(func() {
		left, err := cache.Leftovers()
		assert.NoError(t, err)
		for _, l := range left {
			_ = l.Remove()
		}
	})
	script.Test(t, "p18rpckv",
		// The server in C is one alone, and has no cache.
		script.Limit{Program: "kv_server", Scripts: []string{"commands", "watch", "usage"}},
		// What the others are about happens at the servers.
		script.Limit{Program: "kv_client", Scripts: []string{"commands", "watch", "usage", "session", "quorum", "local"}})
}
