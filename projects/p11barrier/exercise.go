package p11barrier

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          11,
	Folder:     "p11barrier",
	Title:      "Barrier of System V semaphores",
	Book:       "UNPv2 11",
	Mechanisms: "semget, semop, semtimedop, SEM_UNDO, semctl",
	Programs:   []string{"barrier_test"},
	Look:       "a process is killed inside a round, and the kernel itself wakes the others: broken barrier",
	Scripts:    scripts,
	Rows:       rows,
	Leftovers:  leftovers,
}
