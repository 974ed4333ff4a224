package p09reclock

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          9,
	Folder:     "p09reclock",
	Title:      "Record locking database",
	Book:       "UNPv2 9",
	Mechanisms: "fcntl record locks, mmap, fdatasync",
	Programs:   []string{"kvstore"},
	Look:       "each bucket of the hash table has one byte to lock, and the kernel finds the deadlock",
	Scripts:    scripts,
	Rows:       rows,
}
