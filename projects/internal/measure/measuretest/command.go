package measuretest

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
)

// Script is a program of the shell, in place of one that measures.
func Script(text string) measure.Program {
	return func(*measure.Config) ([]string, error) { return []string{"sh", "-c", text, "sh"}, nil }
}

// Command is a run of a program with these arguments, for two minutes at most.
func Command(t testing.TB, cfg *measure.Config, p measure.Program, args string) *exec.Cmd {
	t.Helper()
	argv, err := p(cfg)
	require.NoError(t, err)
	argv = slices.Concat(argv, strings.Fields(args))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, argv[0], argv[1:]...)
}

// CommandLines are arguments of a program, the status it ends with, and a regular
// expression for what it says.
type CommandLines map[string]struct {
	Args   string
	Status int
	Says   string
}

// Answered has each of the programs, by their languages, answer all command lines.
func (lines CommandLines) Answered(t testing.TB, cfg *measure.Config, languages map[string]measure.Program) {
	t.Helper()
	for name, line := range lines {
		for language, p := range languages {
			cmd := Command(t, cfg, p, line.Args)
			text, _ := cmd.CombinedOutput()
			assert.Equal(t, line.Status, cmd.ProcessState.ExitCode(), "%s in %s: %s", name, language, text)
			assert.Regexp(t, line.Says, string(text), "%s in %s", name, language)
		}
	}
}
