package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/mechanism"
	"unpipc/projects/internal/programs"
)

var aRun = filepath.Join(programs.Root(), "projects", "internal", "htmlreport", "testdata", "results.json")

func TestReportIsHTMLOrMarkdown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.html")
	status, stdout, stderr := suite(t, "report", aRun, "-o", file)
	assert.Zero(t, status, stderr)
	assert.Empty(t, stdout)
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(page), "<!DOCTYPE html>"))
	assert.Contains(t, string(page), "</html>")

	status, stdout, stderr = suite(t, "report", aRun, "--md")
	assert.Zero(t, status, stderr)
	assert.Contains(t, stdout, "### Trade-offs in this run\n\n- **")
	assert.Contains(t, stdout, "### transfer: rates")
}

func TestReportOfWhatAreNoResultsNamesTheFileAndWritesNone(t *testing.T) {
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong.json")
	require.NoError(t, os.WriteFile(wrong, []byte(`{"rows": [`), 0o644))
	for _, file := range []string{wrong, filepath.Join(dir, "none.json"), dir} {
		status, _, stderr := suite(t, "report", file, "-o", filepath.Join(dir, "report.html"))
		assert.Equal(t, 1, status)
		assert.Contains(t, stderr, file)
		assert.NoFileExists(t, filepath.Join(dir, "report.html"))
	}
	status, _, stderr := suite(t, "report")
	assert.Equal(t, 2, status)
	assert.Contains(t, stderr, "expected one file")
	status, _, _ = suite(t, "report", aRun, "-o", filepath.Join(dir, "no", "folder", "report.html"))
	assert.Equal(t, 1, status)
}

// rowsThereAre are the benchmark's.
func rowsThereAre(t *testing.T) []measure.Row {
	t.Helper()
	f := benchmarkFlags{all: true}
	rows, err := f.selection(measure.Config{}.Defaults())
	require.NoError(t, err)
	return rows
}

func names(rows []measure.Row) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.Name)
	}
	return all
}

// What the catalog sends its readers to is there: the binding, the exercise, the rows.
func TestMechanismsPointToWhatThereIs(t *testing.T) {
	there := names(rowsThereAre(t))
	for i := range mechanism.Catalog {
		m := &mechanism.Catalog[i]
		for _, p := range strings.Split(m.Package, ", ") {
			assert.DirExists(t, filepath.Join(programs.Root(), "gobind", p), m.ID)
		}
		registered := false
		for _, e := range all() {
			registered = registered || e.Arg() == m.Exercise
		}
		if m.Exercise == "18" && !registered {
			continue // the last of the guide's
		}
		assert.True(t, registered, "%s: exercise %s", m.ID, m.Exercise)
		for _, name := range m.Rows {
			assert.Contains(t, there, name, m.ID)
		}
	}
}

var only = regexp.MustCompile(`--only (?:'([^']*)'|"([^"]*)"|(\S+))`)

// assertRows says that the command's --only matches rows.
func assertRows(t *testing.T, command string, there []measure.Row) {
	t.Helper()
	m := only.FindStringSubmatch(command)
	if m == nil {
		return
	}
	re, err := regexp.Compile(m[1] + m[2] + m[3])
	if assert.NoError(t, err, command) {
		assert.True(t, slices.ContainsFunc(there, func(r measure.Row) bool { return re.MatchString(r.Name) || re.MatchString(r.Group) }),
			"no row matches: %s", command)
	}
}

func TestCommandsOfTheFindingsMatchRows(t *testing.T) {
	res, err := measure.Load(aRun)
	require.NoError(t, err)
	there := rowsThereAre(t)
	for _, f := range mechanism.Findings(res) {
		assertRows(t, f.Again, there)
	}
}
