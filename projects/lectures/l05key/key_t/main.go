// Command key_t prints the keys that ftok makes of files and numbers.
package main

import (
	"os"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
)

func main() {
	p := cli.New("key_t", "[FILE…]",
		"Prints the keys that ftok makes of a file that does not exist, and of each given one\n"+
			"(default: the program's own) with the numbers 100, 101 and 1125.",
		"  key_t\n  key_t /etc/hostname /tmp")
	p.Parse(os.Args[1:])
	p.Exit(show(p.Args()))
}

func show(files []string) error {
	if len(files) == 0 {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		files = []string{self}
	}
	if err := try("/not/existing/path", 100); err != nil {
		return err
	}
	for _, file := range files {
		for _, id := range []int{100, 101, 101 + 1024} {
			if err := try(file, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func try(path string, id int) error {
	key, err := sysvmq.Ftok(path, id)
	if err != nil {
		return lecture.Say("key(\"%s\", %d) = %s\n", path, id, lecture.Strerror(err))
	}
	return lecture.Say("key(\"%s\", %d) = %d\n", path, id, int32(key))
}
