// Command shmipc_load carries messages from one process to another by shmipc-go, a library
// that has a pool of buffers in shared memory and a queue of those that are sent, for the
// benchmark to compare the ring with.
package main

import (
	"encoding/json"
	"os"

	"github.com/cloudwego/shmipc-go"

	"unpipc/projects/internal/cli"
)

const about = `Sends messages by shmipc-go, or receives them, and prints what it has done as JSON. The
two find each other by the name, an abstract one of a Unix socket. As the ring does, the
producer sends a number of bytes at once, and each message has its number at both ends.`

const example = `  shmipc_load consumer --name /load --warmup 1000 &
  shmipc_load producer --name /load --size 1024 --batch 131072 --count 1000000`

const noPrint = 5 // of its log levels: a log would be in the way of the result

// outcome is what both print.
type outcome struct {
	Count int64 `json:"count"` // at the consumer, after the warm-up
	NS    int64 `json:"ns,omitempty"`
}

func main() {
	p := cli.New("shmipc_load", "producer|consumer --name NAME", about, example)
	name := p.String("name", "", "name that both have")
	size := p.Int("size", 1024, "bytes in a message, at least 16 (producer)")
	batch := p.Int("batch", 1<<17, "bytes that are sent at once, 0: every message (producer)")
	count := p.Int64("count", 1000, "messages (producer)")
	warmup := p.Int64("warmup", 0, "messages before the clock starts (consumer)")
	_ = p.Int("buffer-size", 0, "ignored: the pool has the library's own size")
	_ = p.Bool("json", true, "the only way")
	p.Parse(os.Args[1:])
	end := p.Arg(0)
	if *name == "" || p.NArg() != 1 || end != "producer" && end != "consumer" {
		p.BadUsage("it is producer or consumer, with a --name")
	}
	if *size < least || *batch < 0 || *count < 1 || *warmup < 0 {
		p.BadUsage("--size is 16 or more, the others are not negative")
	}
	shmipc.SetLogLevel(noPrint)
	var o outcome
	var err error
	if end == "producer" {
		o, err = produce(*name, header{uint64(*size), uint64(max(*batch / *size, 1)), uint64(*count)})
	} else {
		o, err = consume(*name, *warmup)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(o)
	}
	p.Exit(err)
}
