package posixshm_test

import (
	"os"
	"os/exec"
	"testing"

	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) {
	os.Exit(ipctest.Main(m))
}

// inC starts testdata/shm.c, which makes these calls, and gets files as 3 and so on.
func inC(t *testing.T, files []*os.File, calls ...string) *ipctest.Peer {
	t.Helper()
	cmd := exec.Command(ipctest.CProgram(t, "testdata/shm.c", "-lrt"), calls...)
	cmd.ExtraFiles = files
	return ipctest.Start(t, cmd)
}
