package stress

import (
	"os"
	"testing"

	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) {
	Role()
	os.Exit(ipctest.Main(m))
}
