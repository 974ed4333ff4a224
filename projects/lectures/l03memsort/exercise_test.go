package l03memsort_test

import (
	"os"
	"testing"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/integers/integerstest"
	"unpipc/projects/internal/script"
)

const folder, program = "lectures/l03memsort", "mem_sort"

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, folder) }

func TestWorkersAndParentsMayBeInDifferentLanguages(t *testing.T) {
	integerstest.Pairs(t, folder, program)
}

func TestAProgramThatIsNoWorkerIsAnError(t *testing.T) { integerstest.NoWorkers(t, folder, program) }

func TestASignalWhileTheOutputIsWrittenLeavesTheOldOne(t *testing.T) {
	integerstest.Interrupted(t, folder, program)
}
