package ipctest_test

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func TestAPeerIsTalkedToLineByLine(t *testing.T) {
	p := ipctest.Start(t, exec.Command("sh", "-c", `echo ready; while read a b; do echo "$b $a"; done; echo the; echo end`))
	assert.Equal(t, "ready", p.Line())
	p.Tell("%s %d", "a", 1)
	p.Tell("b 2")
	assert.Equal(t, []string{"1 a", "2 b"}, p.Lines(2))
	assert.Equal(t, []string{"the", "end"}, p.Rest())
	p.Kill() // has nothing left to do
}

func TestAPeerIsKilledAtTheEndOfTheTest(t *testing.T) {
	var p *ipctest.Peer
	t.Run("a test that leaves it", func(t *testing.T) {
		p = ipctest.Start(t, exec.Command("sh", "-c", `echo ready; exec sleep 60`))
		assert.Equal(t, "ready", p.Line())
	})
	require.NotNil(t, p.ProcessState)
	assert.Equal(t, unix.SIGKILL, p.ProcessState.Sys().(syscall.WaitStatus).Signal())
}

func TestWhatAnInstalledProgramPrints(t *testing.T) {
	assert.Equal(t, "a  b\n", ipctest.Output(t, "echo", "a ", "b"))
}
