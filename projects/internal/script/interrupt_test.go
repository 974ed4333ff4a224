package script

import (
	"os/exec"
	"os/signal"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"
)

func TestChildrenAreInterruptibleWhateverThisProcessIgnores(t *testing.T) {
	defer signal.Reset(unix.SIGINT)
	status := func() int {
		cmd := exec.Command("sh", "-c", "kill -INT $$; exit 7")
		_ = cmd.Run()
		return cmd.ProcessState.ExitCode()
	}
	signal.Ignore(unix.SIGINT) // as if a shell without job control had started the tests
	assert.Equal(t, 7, status())
	interruptible()
	assert.Equal(t, -1, status(), "ended by the signal")
}
