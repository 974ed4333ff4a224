package p02fifo

import (
	"embed"
	"os"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise describes this exercise to the suite.
var Exercise = exercise.Exercise{
	N:          2,
	Folder:     "p02fifo",
	Title:      "Client and server over FIFOs",
	Book:       "UNPv2 4.6 to 4.9",
	Mechanisms: "mkfifo, open, poll, PIPE_BUF, flock",
	Programs:   []string{"calc_server", "calc_client"},
	Look:       "each client's answer comes back through a FIFO of its own, which is gone afterwards",
	Scripts:    scripts,
	Rows:       rows,
	Leftovers:  func() ([]exercise.Leftover, error) { return leftovers(DefaultPath), nil },
}

// leftovers are the FIFOs of a killed server and of its killed clients.
func leftovers(server string) []exercise.Leftover {
	var left []exercise.Leftover
	add := func(path, why string) {
		left = append(left, exercise.Leftover{Name: path, Why: why, Remove: func() error {
			if err := abandoned(path); err != nil {
				return err // it has come to life
			}
			return os.Remove(path)
		}})
	}
	if abandoned(server) == nil {
		add(server, "no server has it open")
	}
	for _, path := range deadReplies(server) {
		add(path, "its client is dead")
	}
	return left
}
