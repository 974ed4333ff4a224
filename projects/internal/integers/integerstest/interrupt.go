package integerstest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/programs"
)

// attempts bounds how often a program may have written everything before it was caught.
const attempts = 50

// Interrupted tests that a program that is told to end while it writes its output leaves
// the file that was there before, and nothing beside it.
func Interrupted(t *testing.T, folder, program string) {
	dir := t.TempDir()
	in, out, part := filepath.Join(dir, "in"), filepath.Join(dir, "out"), filepath.Join(dir, ".out.part")
	var all []byte
	for n := range int64(1_200_000) {
		all = append(strconv.AppendInt(all, n-600_000, 10), '\n')
	}
	require.NoError(t, os.WriteFile(in, all, 0o600))
	for language, path := range programs.Build(t, folder).Both(program) {
		for _, signal := range []unix.Signal{unix.SIGINT, unix.SIGTERM} {
			for try := 1; ; try++ {
				require.LessOrEqual(t, try, attempts, "%s in %s was never caught while it wrote", program, language)
				require.NoError(t, os.WriteFile(out, []byte("old"), 0o600))
				// Who runs the tests may ignore signals, as a shell does for what it has in the background.
				cmd := exec.CommandContext(t.Context(), "env", "--default-signal=INT,TERM", path, "-o", out, in)
				var said bytes.Buffer
				cmd.Stdout, cmd.Stderr = &said, &said
				require.NoError(t, cmd.Start())
				ended := make(chan struct{})
				go func() {
					_ = cmd.Wait()
					close(ended)
				}()
				stopWhileWriting(t, cmd.Process, part, ended)
				_ = cmd.Process.Signal(signal)
				_ = cmd.Process.Signal(unix.SIGCONT)
				<-ended
				got, err := os.ReadFile(out)
				require.NoError(t, err)
				assert.NoFileExists(t, part)
				if status := cmd.ProcessState.Sys().(interface{ Signaled() bool }); !status.Signaled() {
					require.True(t, cmd.ProcessState.Success(), "%s: %s", cmd, said.String())
					require.True(t, bytes.Equal(all, got), "it had written everything")
					continue
				}
				if bytes.Equal(all, got) {
					continue // the signal came when all was done
				}
				assert.Equal(t, "signal: "+signal.String(), cmd.ProcessState.String())
				assert.Equal(t, "old", string(got), "%s in %s", program, language)
				break
			}
		}
	}
}

// stopWhileWriting stops the process when a part of its output is there, if it can.
func stopWhileWriting(t *testing.T, p *os.Process, part string, ended chan struct{}) {
	ipctest.Eventually(t, func() bool {
		select {
		case <-ended:
			return true
		default:
			st, err := os.Stat(part)
			return err == nil && st.Size() > 0
		}
	}, "it writes")
	if p.Signal(unix.SIGSTOP) != nil {
		return
	}
	// The call returns before all threads have stopped.
	ipctest.Eventually(t, func() bool {
		select {
		case <-ended:
			return true
		default:
		}
		states, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.Pid))
		for _, file := range states {
			text, _ := os.ReadFile(file)
			if _, rest, ok := strings.Cut(string(text), ") "); ok && rest[0] != 'T' && rest[0] != 'Z' && rest[0] != 'X' {
				return false
			}
		}
		return true
	}, "it is stopped")
}
