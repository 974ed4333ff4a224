package callcost

import (
	"strconv"

	"unpipc/projects/internal/measure"
)

// DefaultSizes are the message sizes in bytes that are measured without others being
// asked for.
var DefaultSizes = []int{64, 1 << 10, 16 << 10}

// goal is what a call of ours is held to at the default sizes: nine tenths of C's rate.
const goal = 0.90

const (
	what = "one process sends a message to an empty queue and receives it: both calls, " +
		"neither of which has to wait, and the check"
	checked = "sequence number at both ends of every message; all bytes of the warm-up messages " +
		"and of the last one; the count"
)

// Rows are the rows of both kinds of queues at the sizes of cfg.
func Rows(cfg measure.Config) []measure.Row {
	sizes := cfg.SizesOr(DefaultSizes)
	var rows []measure.Row
	for _, kind := range []struct{ queue, name string }{
		{"posix", "call_mq_send_receive"}, {"sysv", "call_msgsnd_msgrcv"},
	} {
		for _, size := range sizes {
			variants := []measure.Variant{
				variant("Go", 0, inGo, kind.queue, size), variant("C", goal, inC, kind.queue, size),
			}
			if kind.queue == "posix" { // a System V queue is no descriptor
				variants = append(variants, variant("C, 2 threads", 0, inC, kind.queue, size, "--threaded"))
			}
			rows = append(rows, measure.Row{
				Group: "message queue calls", Name: kind.name, What: what, Check: checked,
				Size: size, Unit: measure.Messages,
				Variants: variants,
			})
		}
	}
	return rows
}

// Who makes the calls.
var inGo, inC = measure.Role(roleArgument), measure.Reference("callcost")

func variant(name string, goal float64, p measure.Program, queue string, size int, flags ...string) measure.Variant {
	flags = append(flags, "--queue", queue, "--size", strconv.Itoa(size), "--warmup", strconv.Itoa(measure.Warmup(size)))
	return measure.Variant{Name: name, Goal: goal, Run: measure.Alone("callcost", p, flags...)}
}
