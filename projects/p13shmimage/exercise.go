package p13shmimage

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this exercise.
var Exercise = exercise.Exercise{
	N:          13,
	Folder:     "p13shmimage",
	Title:      "Image filter in System V shared memory",
	Book:       "UNPv2 14",
	Mechanisms: "shmget, shmat, shmdt, shmctl, worker processes",
	Programs:   []string{"shm_image_filter"},
	Look:       "workers filter their rows of one shared picture, and any number of them makes the same bytes",
	Scripts:    scripts,
	Rows:       benchmark,
}
