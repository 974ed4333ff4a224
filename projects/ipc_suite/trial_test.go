package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/exercise"
)

func TestTheTableOfAllHasWhatFailedAndWhatIsMissing(t *testing.T) {
	bin := t.TempDir()
	of := func(title, section string, missing error) *trial {
		e := &exercise.Exercise{N: 1, Title: title, Scripts: fstest.MapFS{
			"testdata/a.txtar": {Data: []byte("exec true\n# It is true\nexec true\n")},
			"testdata/b.txtar": {Data: []byte("# It works\n" + section)},
		}}
		tr, err := newTrial(e, bin, false, missing)
		require.NoError(t, err)
		return tr
	}
	trials := []*trial{of("Right", "exec true\n", nil), of("Wrong", "exec echo sorry\nexec false\n", nil),
		of("Absent", "exec true\n", errors.New("no program x"))}
	var calls atomic.Int32
	require.NoError(t, playAll(t.Context(), trials, 3, func(_ *trial, _, total int) {
		assert.Equal(t, 4, total)
		calls.Add(1)
	}))
	assert.EqualValues(t, 4, calls.Load())

	var out bytes.Buffer
	assert.False(t, writeTrials(&out, trials))
	assert.Contains(t, out.String(), "  FAIL  b: It works\n          > exec echo sorry\n")
	assert.Contains(t, out.String(), "  no program x\n")
	assert.Regexp(t, `ok +│ 1 +│ Right +│ +2 │ +2 │ +0 │`, out.String())
	assert.Regexp(t, `FAIL │ 1 +│ Wrong +│ +2 │ +1 │ +1 │`, out.String())
	assert.Regexp(t, `FAIL │ 1 +│ Absent +│ +2 │ +0 │ +0 │`, out.String())
	assert.Contains(t, out.String(), "1 of 3 pass")
	assert.True(t, writeTrials(&out, trials[:1]))
}

func TestProgramsOfManyExercisesAreInAFolderForEach(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "p01"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "p01", "mypipe"), nil, 0o755))
	f := verifyFlags{root: root, jobs: 1}
	dir, err := f.folder(exercises[0])
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(root, "p01"), dir)
	_, err = f.folder(exercises[1])
	assert.ErrorContains(t, err, "no program calc_")
}

func TestWorkInParallelEndsWithTheFirstError(t *testing.T) {
	wrong := errors.New("wrong")
	var calls atomic.Int32
	err := inParallel(t.Context(), 1000, 4, func(ctx context.Context, i int) error {
		switch n := calls.Add(1); {
		case n == 5:
			return wrong
		case n > 5: // which may be before the error is told
			<-ctx.Done()
		}
		return nil
	})
	assert.Equal(t, wrong, err)
	assert.Less(t, calls.Load(), int32(1000))

	calls.Store(0)
	require.NoError(t, inParallel(t.Context(), 1000, 4, func(context.Context, int) error { calls.Add(1); return nil }))
	assert.EqualValues(t, 1000, calls.Load())
}

func TestReferencesThatDoNotDoEverythingPlayTheScriptsTheyKnow(t *testing.T) {
	e := &exercise.Exercise{N: 1, Title: "Half", Scripts: fstest.MapFS{
		"testdata/a.txtar": {Data: []byte("# A\nexec true\n")}, exercise.MainScript: {Data: []byte("# B\nexec true\n")}}}
	require.NoError(t, demonstratedInC(e))
	e.InC = []string{"a"}
	inC, err := newTrial(e, t.TempDir(), true, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"testdata/a.txtar"}, inC.names)
	inGo, err := newTrial(e, t.TempDir(), false, nil)
	require.NoError(t, err)
	assert.Len(t, inGo.names, 2)
	assert.ErrorContains(t, demonstratedInC(e), "verify 1 --c")
}
