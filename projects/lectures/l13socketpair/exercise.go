// Package l13socketpair is the lecture's pair of connected sockets: messages of any size
// go through, and it shows which kind of socket splits them and which refuses them.
package l13socketpair

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          13,
	Folder:     "lectures/l13socketpair",
	Title:      "Pair of sockets",
	Book:       "UNP 15.3, 15.5",
	Mechanisms: "socketpair: SOCK_STREAM, SOCK_DGRAM; fork, read, write, poll",
	Programs:   []string{"socketpair"},
	Look:       "a stream splits a million bytes, and a datagram of that size is refused",
	Scripts:    scripts,
}
