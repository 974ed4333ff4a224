package authdes_test

import (
	"os"
	"testing"

	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }
