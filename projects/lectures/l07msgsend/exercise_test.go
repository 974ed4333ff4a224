package l07msgsend

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/lecture/lecturetest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l07msgsend") }

func TestWhatAKilledOneLeavesIsFound(t *testing.T) {
	key := sysvmq.Key(ipctest.Key())
	object := lecturetest.Object{
		Folder: "lectures/l07msgsend", Program: "msgsend_server", Args: []string{"--key", key.String()}, Named: key.String(),
		Ready:     func(out string) bool { return strings.Contains(out, "connected to queue") },
		Gone:      func() bool { _, err := sysvmq.Get(key, 0); return errors.Is(err, fs.ErrNotExist) },
		Leftovers: Exercise.Leftovers,
	}
	object.IsFound(t)
}
