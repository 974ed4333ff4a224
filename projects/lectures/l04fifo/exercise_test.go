package l04fifo

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/lecture/lecturetest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l04fifo") }

func object(t *testing.T) *lecturetest.Object {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	open := func() (io.Closer, error) { return fifo.OpenWriter(t.Context(), path, unix.O_NONBLOCK) }
	return lecturetest.File("lectures/l04fifo", "fifo_server", path, open, Exercise.Leftovers, "--fifo", path)
}

func TestWhatAKilledOneLeavesIsFound(t *testing.T) { object(t).IsFound(t) }

func TestOneOfManyServersTakesOverWhatAKilledOneLeft(t *testing.T) { object(t).IsTakenOverByOne(t) }
