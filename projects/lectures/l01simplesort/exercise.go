package l01simplesort

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
	N:          1,
	Folder:     "lectures/l01simplesort",
	Title:      "Sorting in one process",
	Book:       "UNPv2 1.2",
	Mechanisms: "none: one process does it all",
	Programs:   []string{"simple_sort"},
	Look:       "the time that one process takes, and that bad input is named by file and line",
	Scripts:    scripts,
	Rows:       func(measure.Config) []measure.Row { return integers.Rows("simple_sort") },
}
