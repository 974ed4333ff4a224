package transfer

import (
	"context"
	"slices"

	"unpipc/projects/internal/measure"
)

// DefaultSizes are the message sizes in bytes that are measured without others
// being asked for.
var DefaultSizes = []int{1, 64, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20}

// FrameBuffer is the buffer of the framed rows at both ends, in bytes.
const FrameBuffer = 32 << 10

// What a row is held to. Per message the Go loop is to keep up with the C loop.
var throughputGoals = map[int]float64{64: 0.90, 1 << 10: 0.95, 16 << 10: 0.95}

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
	sizes := cfg.Sizes
	if len(sizes) == 0 {
		sizes = DefaultSizes
	}
	var rows []measure.Row
	add := func(name, what string, unit measure.Unit, size int, variants ...measure.Variant) {
		rows = append(rows, measure.Row{
			Group: "transfer", Name: name, What: what, Check: checked, Size: size, Unit: unit, Variants: variants,
		})
	}
	for _, c := range Channels {
		for _, size := range sizes {
			j := job{channel: c, size: size}
			add("bw_"+c, throughput, measure.Messages, size,
				j.variant("Go", inGo, 0), j.variant("C", inC, throughputGoals[size]))
		}
	}
	for _, c := range Channels {
		goal := framedGoals[c]
		if goal == 0 || !slices.Contains(sizes, framedSize) && !cfg.Quick {
			continue
		}
		framed, plain := job{channel: c, size: framedSize, batch: FrameBuffer}, job{channel: c, size: framedSize}
		add("bw_"+c+"_framed", throughput+"; framed: the messages of a buffer in one write", measure.Messages, framedSize,
			framed.variant("Go", inGo, 0), plain.variant("Go per message", inGo, goal), framed.variant("C", inC, 0))
	}
	for _, c := range Channels {
		for _, size := range sizes {
			j, goal := job{channel: c, size: size, roundTrip: true}, 0.0
			if size < 1<<10 {
				goal = smallRoundTripGoal
			}
			add("lat_"+c, roundTrip, measure.Nanoseconds, size,
				j.variant("Go", inGo, 0), j.variant("C", inC, goal))
		}
	}
	return rows
}

// variant has both ends in the same language.
func (j job) variant(name string, p measure.Program, goal float64) measure.Variant {
	return measure.Variant{Name: name, Goal: goal,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			return j.run(ctx, cfg, p, p, n)
		}}
}
