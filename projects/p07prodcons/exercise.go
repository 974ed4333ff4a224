package p07prodcons

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          7,
	Folder:     "p07prodcons",
	Title:      "Producers and consumers with mutex and condition variables",
	Book:       "UNPv2 7.1 to 7.6",
	Mechanisms: "pthread_mutex, pthread_cond, robust and process-shared, shm_open",
	Programs:   []string{"producer_consumer", "pc_join"},
	Look:       "why while and not if: a wake-up says that something has changed, not that it is your turn",
	Scripts:    scripts,
	Rows:       rows,
	Leftovers:  leftovers,
}
