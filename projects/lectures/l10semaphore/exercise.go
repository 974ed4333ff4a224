package l10semaphore

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/marks"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          10,
	Folder:     "lectures/l10semaphore",
	Title:      "Semaphore of a mutex and a condition variable",
	Book:       "UNPv2 7.5, 10.16",
	Mechanisms: "pthread_mutex_t, pthread_cond_t: between processes, in System V shared memory",
	Programs:   []string{"semaphore"},
	Look:       "twenty threads of two processes, and never more than five at once",
	Scripts:    scripts,
	Leftovers:  marks.Leftovers("lecture-10"),
}
