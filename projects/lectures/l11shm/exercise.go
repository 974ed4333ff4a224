// Package l11shm is the lecture's System V shared memory with a mutex in it whose owner
// dies: a robust mutex tells the next one that locks it.
package l11shm

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/marks"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          11,
	Folder:     "lectures/l11shm",
	Title:      "Shared memory and a dead owner",
	Book:       "UNPv2 14, 7.3",
	Mechanisms: "shmget, shmat, shmctl, PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_ROBUST",
	Programs:   []string{"shm"},
	Look:       "the lock of a killed process is no deadlock: Owner is dead, restore",
	Scripts:    scripts,
	Leftovers:  marks.Leftovers("lecture-11"),
}
