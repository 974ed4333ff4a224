// Command ring_producer is the writing end of a ring in shared memory.
package main

import (
	"os"

	"unpipc/projects/p12shmring"
)

func main() { p12shmring.ProducerMain(os.Args[1:]) }
