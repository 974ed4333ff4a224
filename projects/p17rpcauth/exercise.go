package p17rpcauth

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          17,
	Folder:     "p17rpcauth",
	Title:      "RPC with authentication",
	Book:       "UNPv2 16.7",
	Mechanisms: "AUTH_SYS, SO_PEERCRED, AUTH_DES, a key server, RPCSEC_GSS",
	Programs:   []string{"calc_server", "calc_client", "rpc_keygen", "rpc_keyserv"},
	Look:       "who says he is root is believed, until somebody has to prove it",
	Scripts:    scripts,
	Rows:       rows,
}
