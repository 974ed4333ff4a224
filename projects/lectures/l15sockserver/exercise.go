// Package l15sockserver is the lecture's server at a named stream socket, with a thread
// for each client: clients send numbers and get them back with 1 added.
package l15sockserver

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/marks"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          15,
	Folder:     "lectures/l15sockserver",
	Title:      "Server of stream sockets",
	Book:       "UNP 15.3, 26.4",
	Mechanisms: "socket: AF_UNIX, SOCK_STREAM; bind, listen, accept, connect; threads",
	Programs:   []string{"sock_server", "sock_client"},
	Look:       "while one client is silent the next one is served",
	Scripts:    scripts,
	Leftovers:  marks.Leftovers("lecture-15"),
}
