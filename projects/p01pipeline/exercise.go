package p01pipeline

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          1,
	Folder:     "p01pipeline",
	Title:      "Shell pipeline",
	Book:       "UNPv2 4.3, APUE 15.2",
	Mechanisms: "pipe, fork, dup2, exec, wait",
	Programs:   []string{"mypipe"},
	Look:       "end of file arrives because every unused end is closed",
	Scripts:    scripts,
	Rows:       rows,
}
