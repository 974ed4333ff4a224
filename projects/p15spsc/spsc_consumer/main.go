// Command spsc_consumer is the reading end of a queue in shared memory.
package main

import (
	"os"

	"unpipc/projects/p15spsc"
)

func main() { p15spsc.ConsumerMain(os.Args[1:]) }
