// Command parallel_sort sorts the numbers of files, each in a process of its own, and gets
// them through pipes.
package main

import "unpipc/projects/lectures/l02parallelsort"

func main() {
	l02parallelsort.Run("parallel_sort",
		"Starts a process for each file, which reads its integers, sorts them and sends them\n"+
			"through a pipe, first how many. Prints how long that took.",
		l02parallelsort.NewPipe, l02parallelsort.OpenPipe)
}
