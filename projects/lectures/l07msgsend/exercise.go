package l07msgsend

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/marks"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          7,
	Folder:     "lectures/l07msgsend",
	Title:      "Messages by type",
	Book:       "UNPv2 6.3, 6.4, 6.8",
	Mechanisms: "msgget, msgsnd, msgrcv, IPC_NOWAIT",
	Programs:   []string{"msgsend_server", "msgsend_client"},
	Look:       "sent as 100, 50, 60 and received as 100, 60, 50: the receiver chooses",
	Scripts:    scripts,
	Leftovers:  marks.Leftovers("lecture-7"),
}
