// Command mem_sort sorts the numbers of files, each in a process of its own, and gets them
// through shared memory.
package main

import (
	"unpipc/projects/lectures/l02parallelsort"
	"unpipc/projects/lectures/l03memsort"
)

func main() {
	l02parallelsort.Run("mem_sort",
		"Starts a process for each file, which reads its integers, sorts them and sends them\n"+
			"through 64 KB of shared memory, first how many. Prints how long that took.",
		l03memsort.NewMemory, l03memsort.OpenMemory)
}
