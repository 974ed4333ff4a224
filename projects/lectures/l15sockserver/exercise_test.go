package l15sockserver

import (
	"os"
	"path/filepath"
	"testing"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/unixsock"
	"unpipc/projects/internal/lecture/lecturetest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l15sockserver") }

func object(t *testing.T) *lecturetest.Object {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	return &lecturetest.Object{
		Folder: "lectures/l15sockserver", Program: "sock_server", Args: []string{"--socket", path}, Named: path,
		Ready: func(string) bool {
			c, err := unixsock.Dial(unixsock.Stream, path)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		},
		Gone:      func() bool { _, err := os.Lstat(path); return os.IsNotExist(err) },
		Leftovers: Exercise.Leftovers,
	}
}

func TestWhatAKilledOneLeavesIsFound(t *testing.T) { object(t).IsFound(t) }

func TestOneOfManyServersTakesOverWhatAKilledOneLeft(t *testing.T) { object(t).IsTakenOverByOne(t) }
