package p16rpccalc

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          16,
	Folder:     "p16rpccalc",
	Title:      "A calculator over Sun RPC",
	Book:       "UNPv2 16.1 to 16.9",
	Mechanisms: "rpcgen, XDR, rpcbind, TCP, UDP, Unix sockets",
	Programs:   []string{"calc_server", "calc_client"},
	Look:       "a call to another process looks like a call, until something goes wrong: then each thing that can has its own message",
	Scripts:    scripts,
	Rows:       rows,
}
