package p04posixmq

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          4,
	Folder:     "p04posixmq",
	Title:      "Priority dispatcher over a POSIX message queue",
	Book:       "UNPv2 5.1 to 5.7",
	Mechanisms: "mq_open, mq_send, mq_receive, mq_notify, fcntl, flock",
	Programs:   []string{"job_dispatcher", "submit_job"},
	Look:       "the urgent job runs first, and a killed dispatcher loses none",
	Scripts:    scripts,
	Rows:       rows,
	Leftovers:  leftovers,
}
