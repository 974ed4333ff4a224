package l01simplesort

import (
	"os"
	"testing"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/integers/integerstest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l01simplesort") }

func TestASignalWhileTheOutputIsWrittenLeavesTheOldOne(t *testing.T) {
	integerstest.Interrupted(t, "lectures/l01simplesort", "simple_sort")
}
