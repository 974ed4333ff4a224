package l02parallelsort

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/integers"
	"unpipc/projects/internal/measure"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          2,
	Folder:     "lectures/l02parallelsort",
	Title:      "Sorting in processes, through pipes",
	Book:       "UNPv2 4.3",
	Mechanisms: "pipe, fork, exec, waitpid, prctl (PR_SET_PDEATHSIG)",
	Programs:   []string{"parallel_sort"},
	Look:       "each worker sends first how many numbers it has, and one that dies is noticed",
	Scripts:    scripts,
	Rows:       func(measure.Config) []measure.Row { return integers.Rows("parallel_sort") },
}
