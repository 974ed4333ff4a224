package p12shmring

import (
	"os"
	"testing"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/script"
	"unpipc/projects/internal/transfer"
)

func TestMain(m *testing.M) {
	transfer.Role()
	os.Exit(ipctest.Main(m))
}

func TestScripts(t *testing.T) { script.Test(t, "p12shmring") }
