package l03memsort

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
	N:          3,
	Folder:     "lectures/l03memsort",
	Title:      "Sorting in processes, through shared memory",
	Book:       "UNPv2 12.2, 12.4",
	Mechanisms: "memfd_create (in C mmap of anonymous memory), fork, exec, atomic operations",
	Programs:   []string{"mem_sort"},
	Look:       "two flags of one byte pass 64 KB back and forth, and a side that dies is noticed",
	Scripts:    scripts,
	Rows:       func(measure.Config) []measure.Row { return integers.Rows("mem_sort") },
}
