// Package l06msgget is the lecture's look at a System V message queue: made, described,
// refused a second time, removed; and the limits that there are for all queues.
package l06msgget

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/marks"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          6,
	Folder:     "lectures/l06msgget",
	Title:      "Life of a message queue",
	Book:       "UNPv2 6.2, 6.5, 6.10",
	Mechanisms: "msgget, msgctl: IPC_STAT, IPC_RMID, IPC_INFO",
	Programs:   []string{"msgget"},
	Look:       "with --keep the queue and its messages outlive the process that made it",
	Scripts:    scripts,
	Leftovers:  marks.Leftovers("lecture-6"),
}
