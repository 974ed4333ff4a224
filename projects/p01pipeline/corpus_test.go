package p01pipeline

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/programs"
)

//go:embed testdata/pipelines.list
var corpus string

// TestCorpus compares output and status of every pipeline with bash's.
func TestCorpus(t *testing.T) {
	built := programs.Build(t, "p01pipeline")
	ran := 0
	for line := range strings.Lines(corpus) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		ran++
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			for _, mode := range []struct {
				name       string
				bash, ours []string
			}{
				{"last status", []string{"-c"}, nil},
				{"pipefail", []string{"-o", "pipefail", "-c"}, []string{"--pipefail"}},
			} {
				if mode.name == "pipefail" && strings.Contains(line, "4294967296") {
					continue // once is enough
				}
				output, status := run(t, "bash", append(mode.bash, line)...)
				for _, bin := range []string{built.Go, built.C} {
					args := append([]string(nil), mode.ours...)
					if strings.Contains(line, "<") {
						args = append(args, "--shell")
					}
					args = append(args, strings.Split(line, " | ")...)
					gotOutput, gotStatus := run(t, bin+"/mypipe", args...)
					assert.Equal(t, output, gotOutput, "output, %s", mode.name)
					assert.Equal(t, status, gotStatus, "status, %s", mode.name)
				}
			}
		})
	}
	require.GreaterOrEqual(t, ran, 100, "pipelines in the corpus")
}

// run returns what a program printed to standard output, and its status.
func run(t *testing.T, name string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C.UTF-8")
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	require.NoError(t, ctx.Err(), "%s %q: too slow", name, args)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		if !exit.Exited() {
			t.Fatalf("%s %q: %v", name, args, err)
		}
		return out.String(), exit.ExitCode()
	}
	require.NoError(t, err)
	return out.String(), 0
}
