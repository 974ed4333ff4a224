package lecturetest

import (
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/programs"
)

// Pairs are a program of projects/<folder> in Go with the same in C, and the other way
// round.
func Pairs(t *testing.T, folder, program string) iter.Seq2[string, string] {
	t.Helper()
	built := programs.Build(t, folder).Both(program)
	return func(yield func(one, other string) bool) {
		_ = yield(built["Go"], built["C"]) && yield(built["C"], built["Go"])
	}
}

// Left is what an exercise finds left over.
func Left(t *testing.T, leftovers func() ([]exercise.Leftover, error)) []exercise.Leftover {
	t.Helper()
	left, err := leftovers()
	require.NoError(t, err)
	return left
}
