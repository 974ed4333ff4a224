package l09event

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/marks"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          9,
	Folder:     "lectures/l09event",
	Title:      "Semaphores and a queue together",
	Book:       "UNPv2 6, 11",
	Mechanisms: "semget, semop: four operations at once, SEM_UNDO; msgget, msgsnd, msgrcv",
	Programs:   []string{"event_source", "event_cons"},
	Look:       "a consumer takes one message of each of three sources, or none",
	Scripts:    scripts,
	Leftovers:  marks.Leftovers(Scope),
}
