// Package l12semposix is the lecture's POSIX semaphore: ten threads, of which five at a
// time have it.
package l12semposix

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/marks"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          12,
	Folder:     "lectures/l12semposix",
	Title:      "POSIX semaphore",
	Book:       "UNPv2 10",
	Mechanisms: "sem_open, sem_wait, sem_post, sem_unlink, threads",
	Programs:   []string{"sem_posix"},
	Look:       "five threads get it at once, the next five only when those have put it back",
	Scripts:    scripts,
	Leftovers:  marks.Leftovers("lecture-12"),
}
