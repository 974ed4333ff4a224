package ipctest_test

import (
	"os"
	"testing"
	"time"

	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) {
	if os.Getenv(leakEnv) != "" {
		*ipctest.Grace = 100 * time.Millisecond
	}
	os.Exit(ipctest.Main(m))
}
