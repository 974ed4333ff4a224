package main

import (
	"context"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/programs"
)

// TestReadmeCommands runs what the README tells its reader to type. Targets that run
// for minutes, or need Docker, are only checked to exist; a benchmark lists its rows, and
// a stress its scenarios.
func TestReadmeCommands(t *testing.T) {
	root := programs.Root()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	shell := func(command string) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "bash", "-c", command)
		cmd.Dir = root
		cmd.WaitDelay = time.Second
		out, err := cmd.CombinedOutput()
		// doctor's verdict is on the machine, not on the README.
		if !strings.Contains(command, "doctor") {
			assert.NoError(t, err, "%s\n%s", command, out)
		}
		assert.NotContains(t, string(out), "Try '", command)
	}
	shell("make -s build")
	ran, block := 0, false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "```") {
			block = !block
			continue
		}
		command, _, _ := strings.Cut(strings.TrimSpace(line), "#")
		command = strings.ReplaceAll(command, "~/my-solution", "bin/p02/ref")
		switch {
		case !block:
			continue
		case strings.HasPrefix(command, "bin/ipc_suite benchmark"), strings.HasPrefix(command, "bin/ipc_suite stress"):
			shell(command + " --list")
		case strings.HasPrefix(command, "make project-"):
			shell(command)
		case strings.HasPrefix(command, "make "):
			shell("make -n " + strings.TrimPrefix(command, "make "))
		case strings.HasPrefix(command, "bin/"):
			shell(command)
		default:
			continue
		}
		ran++
	}
	assert.Greater(t, ran, 8, "commands in the README")
}

// The README's program is built as it stands there, and does what its comment says.
func TestReadmeProgram(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(programs.Root(), "README.md"))
	require.NoError(t, err)
	_, program, found := strings.Cut(string(text), "```go\n")
	require.True(t, found)
	program, _, _ = strings.Cut(program, "```\n")
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, []byte(program), 0o600))
	formatted, err := format.Source([]byte(program))
	require.NoError(t, err)
	assert.Equal(t, string(formatted), program)

	cmd := exec.CommandContext(t.Context(), "go", "run", file)
	cmd.Dir = programs.Root()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "urgent, priority 9, <nil>\n", string(out))
}
