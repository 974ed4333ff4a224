package p08rwlock

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          8,
	Folder:     "p08rwlock",
	Title:      "A read-write lock of one's own",
	Book:       "UNPv2 7.3 to 7.5, 8.1 to 8.5",
	Mechanisms: "pthread_mutex_lock, pthread_cond_wait, pthread_cond_clockwait, shm_open, futex",
	Programs:   []string{"test_myrwlock"},
	Look:       "the same readers and writers with three policies, and who starves with which",
	Scripts:    scripts,
	Rows:       rows,
	Leftovers:  leftovers,
}
