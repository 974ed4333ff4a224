package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kballard/go-shellquote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/mechanism"
	"unpipc/projects/internal/programs"
)

var (
	// A command, and what it is said to print.
	inCode  = regexp.MustCompile("`((?:bin/|make |go test )[^`]*)`(?:: \"([^\"]*)\")?")
	testRun = regexp.MustCompile(`-run (\S+) \./(\S+)`)
)

func TestCommandsOfTheTradeOffsExist(t *testing.T) { assertCommands(t, "TRADEOFFS.md", 50) }

func TestCommandsOfGoAndCExist(t *testing.T) { assertCommands(t, "GO-AND-C.md", 10) }

// assertCommands is for a page on which every statement has a command, and there are more
// than atLeast. Each one must exist: its program, its exercise, its rows, its test, and the
// line of the script that is quoted.
func assertCommands(t *testing.T, page string, atLeast int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(programs.Root(), "projects", page))
	require.NoError(t, err)
	there := rowsThereAre(t)
	commands := 0
	for line := range strings.Lines(string(text)) {
		statement := strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| ---") && !strings.Contains(line, "see it |") &&
			!strings.Contains(line, "measure it |") && !strings.Contains(line, "ask |")
		found := inCode.FindAllStringSubmatch(strings.ReplaceAll(line, `\|`, "|"), -1)
		assert.False(t, statement && len(found) == 0, "no command: %s", line)
		for _, m := range found {
			commands++
			command, says := m[1], m[2]
			words, err := shellquote.Split(command)
			require.NoError(t, err, command)
			switch {
			case words[0] == "make":
				// TestReadmeCommands has the targets.
			case words[0] == "go":
				test := testRun.FindStringSubmatch(command)
				require.NotNil(t, test, command)
				assert.True(t, hasTest(t, test[2], test[1]), command)
			case words[0] == "bin/ipc_suite" && words[1] == "benchmark":
				assertRows(t, command, there)
			case words[0] == "bin/ipc_suite" && words[1] == "choose":
				assertChoice(t, words[2:], line)
			case words[0] == "bin/ipc_suite" && (words[1] == "run" || words[1] == "verify"):
				e, err := exerciseArg(words[2:3])
				require.NoError(t, err, command)
				assertSays(t, e, command, says)
			case words[0] == "bin/ipc_suite":
				assert.True(t, slices.Contains(subcommands(), words[1]), command)
			default:
				folder, program, _ := strings.Cut(strings.TrimPrefix(words[0], "bin/"), "/")
				assert.True(t, slices.ContainsFunc(exercises, func(e *exercise.Exercise) bool {
					return e.Bin() == folder && slices.Contains(e.Programs, program)
				}), command)
			}
		}
	}
	assert.Greater(t, commands, atLeast)
}

func subcommands() []string {
	var names []string
	for _, c := range command().Commands() {
		names = append(names, c.Name())
	}
	return names
}

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(programs.Root(), dir, "*_test.go"))
	require.NoError(t, err)
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return bytes.Contains(text, []byte("func "+name+"("))
	})
}

// assertSays finds what a session or a verdict is said to print in the exercise's scripts.
func assertSays(t *testing.T, e *exercise.Exercise, command, says string) {
	t.Helper()
	if says == "" {
		return
	}
	found := false
	require.NoError(t, fs.WalkDir(e.Scripts, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(e.Scripts, path)
		found = found || bytes.Contains(text, []byte(says))
		return err
	}))
	assert.True(t, found, "%s does not say %q", command, says)
}

// assertChoice checks that the table recommends what the line says.
func assertChoice(t *testing.T, flags []string, line string) {
	t.Helper()
	cmd := chooseCommand()
	require.NoError(t, cmd.ParseFlags(flags), "%v", flags)
	need, given, err := needOf(cmd.Flags())
	require.NoError(t, err, "%v", flags)
	if !given {
		return
	}
	want := "nothing here fits"
	if best := mechanism.Choose(need).Best; best != nil {
		want = best.Name
	}
	assert.Contains(t, line, "| "+want+" |", "%v", flags)
}
