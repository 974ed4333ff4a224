// Package l14sockdgram is the lecture's ring of three processes: each has a datagram
// socket with a name and sends numbers to the next one's.
package l14sockdgram

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/marks"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          14,
	Folder:     "lectures/l14sockdgram",
	Title:      "Ring of datagram sockets",
	Book:       "UNP 15.4, 15.6",
	Mechanisms: "socket: AF_UNIX, SOCK_DGRAM; bind, sendto, recv",
	Programs:   []string{"sock_dgram"},
	Look:       "a number goes round three processes, and each of the other two adds 1",
	Scripts:    scripts,
	Leftovers:  marks.Leftovers("lecture-14"),
}
