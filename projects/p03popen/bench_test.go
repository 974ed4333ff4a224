package p03popen

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure/measuretest"
	"unpipc/projects/internal/programs"
)

func TestRowIsMeasuredInGoAndC(t *testing.T) {
	cfg := measuretest.Config(measuretest.Bin(t, programs.Build(t, "p03popen"), "p03"))
	measuretest.Run(t, rows(*cfg), cfg)
}

func TestCommandThatDoesNotSayWhatItShouldFailsTheRow(t *testing.T) {
	other := func(command string) Implementation {
		return Implementation{open: func(_, mode string) (stream, error) { return Mine.open(command, mode) }}
	}
	require.NoError(t, runCommand(Mine))
	for _, command := range []string{"echo eight; exit 7", "echo seven; exit 8", "echo seven; kill -9 $$", "exit 7"} {
		assert.ErrorContains(t, runCommand(other(command)), "it printed", command)
	}
}
