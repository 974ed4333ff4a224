package mutants

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const wellFormed = `It says good day
instead of hello.

script: session
section: It greets
-- greet.h --
	puts("hello");
-- becomes --
	puts("good day");
`

func TestAMutantIsReadFromItsFile(t *testing.T) {
	m, err := parse([]byte(wellFormed))
	require.NoError(t, err)
	assert.Equal(t, &Mutant{
		Mistake: "It says good day instead of hello.", Script: "session", Section: "It greets",
		Changes: []Change{{"greet.h", "\tputs(\"hello\");\n", "\tputs(\"good day\");\n"}},
	}, m)
}

func TestAFileThatIsNoMutantIsRefused(t *testing.T) {
	for _, c := range []struct{ name, old, new string }{
		{"without a mistake", "It says good day\ninstead of hello.\n\n", "\n\n"},
		{"without a section", "section: It greets\n", ""},
		{"without a script", "script: session\n", ""},
		{"with a key that is none", "script:", "scripts:"},
		{"without a replacement", "-- becomes --\n\tputs(\"good day\");\n", ""},
		{"with a second file instead of a replacement", "becomes", "other.h"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Contains(t, wellFormed, c.old)
			_, err := parse([]byte(strings.Replace(wellFormed, c.old, c.new, 1)))
			assert.Error(t, err)
		})
	}
}

// rooted makes a tree with a Makefile and an exercise of two programs, one of which
// includes greet.h.
func rooted(t *testing.T) (root, good string) {
	t.Helper()
	root, good = t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"Makefile":                          "ref:\n\t@cc $(CFLAGS) -o $(OUT) $(REF)\n",
		"projects/other/ref/deep.h":         "#include <stdio.h>\n",
		"projects/p99/ref/greet.h":          "#include \"../../other/ref/deep.h\"\nstatic void greet(void)\n{\n\tputs(\"hello\");\n}\n",
		"projects/p99/ref/server.c":         "#include \"greet.h\"\nint main(void) { greet(); }\n",
		"projects/p99/ref/client.c":         "int main(void) { }\n",
		"projects/p99/ref/mutants/m.mutant": wellFormed,
	} {
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	return root, good
}

func TestOnlyWhatTheChangeReachesIsCompiled(t *testing.T) {
	root, good := rooted(t)
	all, err := Load(filepath.Join(root, "projects", "p99", "ref"))
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, "m", all[0].Name)
	bin, err := all[0].Build(t.Context(), root, "p99", good, t.TempDir())
	require.NoError(t, err)
	out, err := exec.Command(filepath.Join(bin, "server")).Output()
	require.NoError(t, err)
	assert.Equal(t, "good day\n", string(out))
	target, err := os.Readlink(filepath.Join(bin, "client"))
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(good, "client"), target)
	text, err := os.ReadFile(filepath.Join(root, "projects", "p99", "ref", "greet.h"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "hello", "the reference itself stays")
}

func TestATextThatIsNotThereOnceIsAnError(t *testing.T) {
	for _, c := range []struct{ name, from string }{
		{"not there any more", "\tputs(\"hullo\");\n"},
		{"there twice", "#"},
		{"its own replacement", "\tputs(\"good day\");\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, good := rooted(t)
			require.NoError(t, os.WriteFile(filepath.Join(root, "projects", "p99", "ref", "greet.h"),
				[]byte("#include <stdio.h>\n# define X\nstatic void greet(void) {\n\tputs(\"good day\");\n}\n"), 0o600))
			m := Mutant{Changes: []Change{{"greet.h", c.from, "\tputs(\"good day\");\n"}}}
			_, err := m.Build(t.Context(), root, "p99", good, t.TempDir())
			assert.ErrorContains(t, err, "greet.h")
		})
	}
}
