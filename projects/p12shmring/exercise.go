package p12shmring

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          12,
	Folder:     "p12shmring",
	Title:      "Ring of bytes in shared memory",
	Book:       "UNPv2 13.2 to 13.6, 10.6",
	Mechanisms: "shm_open, posix_fallocate, mmap, atomic operations, futex, fcntl (F_OFD_SETLK)",
	Programs:   []string{"shm_ringbuffer_bench", "ring_producer", "ring_consumer"},
	Look:       "messages are written and read in place, and nobody calls the kernel while both sides run",
	Scripts:    scripts,
	Rows:       rows,
	Leftovers:  leftovers,
}
