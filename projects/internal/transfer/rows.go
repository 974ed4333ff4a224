package transfer

import (
	"slices"

	"unpipc/projects/internal/measure"
)

// DefaultSizes are the message sizes in bytes that are measured without others
// being asked for.
var DefaultSizes = []int{1, 64, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20}

// FrameBuffer is the buffer of the framed rows at both ends, in bytes.
const FrameBuffer = 32 << 10

// throughputGoal is what a row is held to, 0 for the usual goal of a twin. Per message the Go
// loop is to keep up with the C loop; most of all over what is nothing but read and write.
func throughputGoal(c string, size int) float64 {
	switch {
	case size == 64:
		return 0.90
	case (size == 1<<10 || size == 16<<10) && slices.Contains(readWrite, c):
		return 0.95
	}
	return 0
}

var readWrite = []string{"pipe", "fifo", "unix_stream", "unix_seqpacket"}

// Where C is also measured with a second thread, which tells what of a difference comes from
// that alone.
var threaded = []string{"pipe", "posix_mq"}

const threadedSize = 1 << 10

// Round trips of small messages; the others have the usual goal of a twin.
const smallRoundTripGoal = 1.15

// What framing is to gain over one write a message, at framedSize bytes.
var framedGoals = map[string]float64{"pipe": 10, "unix_stream": 15}

const framedSize = 64

const (
	throughput = "one process writes messages, one write each, another reads them: from the reader " +
		"saying that it is ready to its having the last message; the processes stay on two CPUs"
	roundTrip = "one process writes a message and reads it back whole from another that has read it whole: " +
		"from before the write to after the read, each round trip by itself; the processes stay on two CPUs"
	checked = "sequence number at both ends of every message; CRC-32C over all bytes of the warm-up " +
		"messages and of the last one; the counts of both processes"
)

// Rows are the rows of all channels at the sizes of cfg.
func Rows(cfg measure.Config) []measure.Row {
	sizes := cfg.SizesOr(DefaultSizes)
	bw := measure.Row{Group: "transfer", Name: "bw_", What: throughput, Check: checked, Unit: measure.Messages}
	rows := measure.Sweep(bw, Channels, sizes, func(c string, size int) []measure.Variant {
		j := job{channel: c, size: size}
		variants := []measure.Variant{measure.Both("Go", inGo, 0, j.run)}
		if size == threadedSize && slices.Contains(threaded, c) {
			variants = append(variants, measure.Both("C, 2 threads", inCThreaded, 0, j.run))
		}
		return append(variants, measure.Both("C", inC, throughputGoal(c, size), j.run))
	})
	for _, c := range Channels {
		if framedGoals[c] != 0 && (slices.Contains(sizes, framedSize) || cfg.Quick) {
			rows = append(rows, framed(bw, c))
		}
	}
	lat := measure.Row{Group: "transfer", Name: "lat_", What: roundTrip, Check: checked, Unit: measure.Nanoseconds}
	return append(rows, measure.Sweep(lat, Channels, sizes, func(c string, size int) []measure.Variant {
		j, goal := job{channel: c, size: size, roundTrip: true}, 0.0
		if size < 1<<10 {
			goal = smallRoundTripGoal
		}
		return []measure.Variant{measure.Both("Go", inGo, 0, j.run), measure.Both("C", inC, goal, j.run)}
	})...)
}

// framed is the row of a channel with the messages of a buffer in one write.
func framed(row measure.Row, c string) measure.Row {
	j := job{channel: c, size: framedSize, batch: FrameBuffer}
	plain := job{channel: c, size: framedSize}
	row.Name += c + "_framed"
	row.What += "; framed: the messages of a buffer in one write"
	row.Size = framedSize
	row.Variants = []measure.Variant{
		measure.Both("Go", inGo, 0, j.run),
		measure.Both("Go per message", inGo, framedGoals[c], plain.run),
		measure.Both("C", inC, 0, j.run),
	}
	return row
}
