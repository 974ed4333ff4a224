package p10sempool

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          10,
	Folder:     "p10sempool",
	Title:      "Connection pool on a counting semaphore",
	Book:       "UNPv2 10.2 to 10.16, 13.2; UNP 15.7",
	Mechanisms: "sem_init, sem_clockwait, sem_timedwait, robust mutex, shm_open, pidfd_open, SCM_RIGHTS",
	Programs:   []string{"pool_manager", "worker"},
	Look:       "a semaphore counts what is free and remembers nobody: who is killed gives back only what a table knows of",
	Scripts:    scripts,
	Rows:       rows,
	Leftovers:  leftovers,
}
