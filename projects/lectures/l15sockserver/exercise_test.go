package l15sockserver

import (
	"io"
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
	open := func() (io.Closer, error) { return unixsock.Dial(unixsock.Stream, path) }
	return lecturetest.File("lectures/l15sockserver", "sock_server", path, open, Exercise.Leftovers, "--socket", path)
}

func TestWhatAKilledOneLeavesIsFound(t *testing.T) { object(t).IsFound(t) }

func TestOneOfManyServersTakesOverWhatAKilledOneLeft(t *testing.T) { object(t).IsTakenOverByOne(t) }
