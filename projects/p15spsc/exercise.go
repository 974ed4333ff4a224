package p15spsc

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          15,
	Folder:     "p15spsc",
	Title:      "Lock-free queue for one producer and one consumer",
	Book:       "UNPv2 7.3 to 7.5, 10.6, 13.4",
	Mechanisms: "shm_open, mmap, atomic load and store, fcntl (F_OFD_SETLK), pthread_mutex, sem_post",
	Programs:   []string{"lockfree_bench", "spsc_producer", "spsc_consumer"},
	Look:       "what a lock costs, and which step makes a queue without one fast",
	Scripts:    scripts,
	Rows:       rows,
	Leftovers:  leftovers,
}
