package l05key

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/programs"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l05key") }

func TestGoAndCFindTheSameKeys(t *testing.T) {
	built := programs.Build(t, "lectures/l05key")
	files := []string{"/", t.TempDir(), os.Args[0]}
	assert.Equal(t, ipctest.Output(t, filepath.Join(built.C, "key_t"), files...),
		ipctest.Output(t, filepath.Join(built.Go, "key_t"), files...))
}
