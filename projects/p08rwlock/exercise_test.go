package p08rwlock

import (
	"os"
	"testing"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) {
	Role()
	Worker()
	os.Exit(ipctest.Main(m))
}

func TestScripts(t *testing.T) { script.Test(t, "p08rwlock") }
