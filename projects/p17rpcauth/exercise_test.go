package p17rpcauth

import (
	"os"
	"testing"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "p17rpcauth") }
