package p06mqbench

import (
	"embed"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/transfer"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise. Its rows are package transfer's,
// which the suite measures in any case.
var Exercise = exercise.Exercise{
	N:          6,
	Folder:     "p06mqbench",
	Title:      "Mechanisms measured side by side",
	Book:       "UNPv2 appendix A, 10.12",
	Mechanisms: "pipe, FIFO, Unix socket, mq_send, msgsnd, shm_open, sem_post",
	Programs:   []string{"ipc_benchmark"},
	Look:       "which mechanism carries the most, and which does so without anything to clean up",
	Scripts:    scripts,
	Leftovers:  transfer.Leftovers,
}
