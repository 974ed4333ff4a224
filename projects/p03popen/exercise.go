package p03popen

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          3,
	Folder:     "p03popen",
	Title:      "popen and pclose",
	Book:       "UNPv2 4.5, APUE 15.3",
	Mechanisms: "pipe, fork, dup2, exec, waitpid",
	Programs:   []string{"test_mypopen"},
	Look:       "one table of cases, and ours and glibc's popen agree on every line",
	Scripts:    scripts,
	Rows:       rows,
}
