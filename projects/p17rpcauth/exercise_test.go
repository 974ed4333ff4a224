package p17rpcauth

import (
	"os"
	"testing"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/programs"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// Mixtures are many: the other scripts want nothing of these programs that those do not.
func TestScripts(t *testing.T) {
	script.Test(t, "p17rpcauth",
		script.Limit{Program: "rpc_keygen", Scripts: []string{"des", "keyserv", "usage"}},
		script.Limit{Program: "rpc_keyserv", Scripts: []string{"keyserv"}})
}

func TestPrograms(t *testing.T) {
	built := programs.Build(t, "p17rpcauth")
	t.Run("the stock functions work with the key server", func(t *testing.T) { testStock(t, built) })
	t.Run("the key server of a user is closed to others, and root's is open to all", func(t *testing.T) { testSocketMode(t, built) })
	t.Run("every variant of a row is measured and verified", func(t *testing.T) { testRows(t, built) })
}
