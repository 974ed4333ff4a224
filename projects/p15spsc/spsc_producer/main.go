// Command spsc_producer is the writing end of a queue in shared memory.
package main

import (
	"os"

	"unpipc/projects/p15spsc"
)

func main() { p15spsc.ProducerMain(os.Args[1:]) }
