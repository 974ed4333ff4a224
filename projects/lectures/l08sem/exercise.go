// Package l08sem is the lecture's set of three System V semaphores, changed by typed
// commands: one operation each, or several at once between begin and commit. All have
// SEM_UNDO, so the kernel takes them back when the process ends.
package l08sem

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/marks"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          8,
	Folder:     "lectures/l08sem",
	Title:      "Semaphores by hand",
	Book:       "UNPv2 11",
	Mechanisms: "semget, semop, SEM_UNDO, semctl: GETALL, IPC_RMID",
	Programs:   []string{"sem"},
	Look:       "a transaction waits as a whole, and what a killed process had taken comes back",
	Scripts:    scripts,
	Leftovers:  marks.Leftovers("lecture-8"),
}
