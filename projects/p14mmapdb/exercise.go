package p14mmapdb

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          14,
	Folder:     "p14mmapdb",
	Title:      "Memory-mapped database",
	Book:       "UNPv2 12, 9",
	Mechanisms: "mmap, pwrite, fdatasync, OFD record locks",
	Programs:   []string{"mmapdb"},
	Look:       "readers of other processes go on in their state while the writer commits, and a killed one costs nothing",
	Scripts:    scripts,
	Rows:       rows,
}
