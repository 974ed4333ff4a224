package p18rpckv

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/p18rpckv/cache"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          18,
	Folder:     "p18rpckv",
	Title:      "A replicated key-value store",
	Book:       "UNPv2 16, 10, 13",
	Mechanisms: "Sun RPC, raft, fsync, shared memory, semaphores",
	Programs:   []string{"kv_server", "kv_client"},
	InC:        []string{"commands", "watch", "usage"},
	Look:       "three servers agree on one order of writes, and any one of them may die in the middle of it",
	Scripts:    scripts,
	Rows:       rows,
	Leftovers:  cache.Leftovers,
}
