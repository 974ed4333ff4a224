package p05sysvmq

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          5,
	Folder:     "p05sysvmq",
	Title:      "Many clients on one System V queue",
	Book:       "UNPv2 6.1 to 6.8, 3.2",
	Mechanisms: "ftok, msgget, msgsnd, msgrcv, msgctl, fcntl",
	Programs:   []string{"sysv_server", "sysv_client"},
	Look:       "one queue carries everybody's requests and responses, and the type tells whose they are",
	Scripts:    scripts,
	Rows:       rows,
	Leftovers:  leftovers,
}
