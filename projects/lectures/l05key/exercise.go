// Package l05key is the lecture's ftok: the key of a System V object is made of a file's
// inode and device and of 8 bits of a number.
package l05key

import (
	"embed"

	"unpipc/projects/internal/exercise"
)

//go:embed testdata/*.txtar
var scripts embed.FS

// Exercise is what the suite knows of this program.
var Exercise = exercise.Exercise{
	N:          5,
	Folder:     "lectures/l05key",
	Title:      "Keys by ftok",
	Book:       "UNPv2 3.2",
	Mechanisms: "ftok",
	Programs:   []string{"key_t"},
	Look:       "the keys of 101 and of 1125, which is 101 + 4 * 256, are the same",
	Scripts:    scripts,
}
