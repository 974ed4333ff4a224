package l04fifo

import (
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
	return &lecturetest.Object{
		Folder: "lectures/l04fifo", Program: "fifo_server", Args: []string{"--fifo", path}, Named: path,
		Ready: func(string) bool {
			w, err := fifo.OpenWriter(t.Context(), path, unix.O_NONBLOCK)
			if err == nil {
				_ = w.Close()
			}
			return err == nil
		},
		Gone:      func() bool { _, err := os.Lstat(path); return os.IsNotExist(err) },
		Leftovers: Exercise.Leftovers,
	}
}

func TestWhatAKilledOneLeavesIsFound(t *testing.T) { object(t).IsFound(t) }

func TestOneOfManyServersTakesOverWhatAKilledOneLeft(t *testing.T) { object(t).IsTakenOverByOne(t) }
