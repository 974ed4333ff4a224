// Command ring_consumer is the reading end of a ring in shared memory.
package main

import (
	"os"

	"unpipc/projects/p12shmring"
)

func main() { p12shmring.ConsumerMain(os.Args[1:]) }
