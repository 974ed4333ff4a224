// Package l04fifo is the lecture's FIFO: clients write their process number into it, and
// a server prints it. A write of up to PIPE_BUF bytes is atomic, so numbers of many
// clients do not mix.
package l04fifo

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/marks"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          4,
	Folder:     "lectures/l04fifo",
	Title:      "FIFO",
	Book:       "UNPv2 4.6",
	Mechanisms: "mkfifo, open, read, write, flock",
	Programs:   []string{"fifo_server", "fifo_client"},
	Look:       "a shell writes four bytes of text, and the server takes them for a process number",
	Scripts:    scripts,
	Leftovers:  marks.Leftovers("lecture-4"),
}
