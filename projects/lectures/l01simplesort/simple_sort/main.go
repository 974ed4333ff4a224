// Command simple_sort sorts the numbers of files, one file after the other.
package main

import (
	"os"

	"unpipc/projects/internal/integers"
)

func main() {
	p := integers.NewProgram("simple_sort",
		"Reads the integers of each file and sorts them, one file after the other in this\n"+
			"process, and prints how long that took.")
	var lists [][]int32
	var sorter integers.Sorter
	for _, file := range p.Parse(os.Args[1:]) {
		numbers, err := integers.Load(file)
		if err != nil {
			p.Exit(err)
		}
		sorter.Sort(numbers)
		lists = append(lists, numbers)
	}
	p.Exit(p.Finish(lists))
}
