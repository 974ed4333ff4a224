package p15spsc

import (
	"context"
	"os"
	"path/filepath"

	"unpipc/projects/internal/measure"
)

const (
	group = "exercise 15"
	check = "the consumer compares every item with the number it must have"
)

// The goals: ours to the peer.
const (
	mutexGoal    = 5.6
	deferredGoal = 0.8
	slicesGoal   = 1.3
	pushGoal     = 1.0
)

// rows measures the queue between two processes, and between two threads beside what
// lives in one process only.
func rows(measure.Config) []measure.Row {
	operations := func(name, what string, variants ...measure.Variant) measure.Row {
		return measure.Row{Group: group, Name: name, What: what, Check: check, Unit: "op/s", Variants: variants}
	}
	const between = "numbers written by one process and read by another, from the reader's first queueful to its last item; "
	const within = "the same between two threads of one process; "
	detail := func(r measure.Row) measure.Row {
		r.Detail = true
		return r
	}
	return []measure.Row{
		operations("spsc_item", between+"one item at a time, each published at once",
			pair("Go", inGo, inGo, Cached, 0), pair("C", inC, inC, Cached, 0),
			pair("Go mutex", inGo, inGo, Mutex, mutexGoal), pair("C mutex", inC, inC, Mutex, mutexGoal),
			pair("Go semaphores", inGo, inGo, Sem, 0), pair("C semaphores", inC, inC, Sem, 0)),
		operations("spsc_deferred", between+"one item at a time, published by the quarter; C at once",
			pair("Go", inGo, inGo, Deferred, 0), pair("C item", inC, inC, Cached, deferredGoal), pair("C deferred", inC, inC, Deferred, 0)),
		detail(operations("spsc_slices", between+"in slices of 64; C item by item",
			pair("Go", inGo, inGo, Batched, 0), pair("C item", inC, inC, Cached, slicesGoal), pair("C slices", inC, inC, Batched, 0))),
		detail(operations("spsc_steps", between+"what each step brings",
			pair("Go", inGo, inGo, Cached, 0), pair("naive", inGo, inGo, Naive, 0), pair("padded", inGo, inGo, Padded, 0),
			pair("deferred", inGo, inGo, Deferred, 0), pair("slices", inGo, inGo, Batched, 0))),
		detail(operations("spsc_crossed", between+"Go and C at the two ends of one queue",
			pair("Go", inGo, inGo, Cached, 0), pair("Go to C", inGo, inC, Cached, 0), pair("C to Go", inC, inGo, Cached, 0))),
		operations("spsc_threads", within+"one item at a time",
			threads("Go", Cached), measure.Variant{Name: "Go channel", Run: channelPeer},
			measure.Variant{Name: "Go sync.Mutex", Run: syncPeer}, measure.Variant{Name: "boost", Run: boostPeer}),
		detail(operations("spsc_threads_deferred", within+"one item at a time, published by the quarter",
			threads("Go", Deferred), measure.Variant{Name: "boost", Run: boostPeer})),
		{Group: group, Name: "lat_spsc_push", Check: check, Unit: measure.Nanoseconds,
			What: "a write into a queue with room, one each microsecond, while the other process reads",
			Variants: []measure.Variant{timed("Go", inGo, Cached, 0), timed("C", inC, Cached, pushGoal),
				timed("Go mutex", inGo, Mutex, 0), timed("C mutex", inC, Mutex, 0)}},
	}
}

// program finds one of the two ends.
type program func(cfg *measure.Config, end string) string

func inGo(cfg *measure.Config, end string) string { return filepath.Join(cfg.Bin, "p15", end) }
func inC(cfg *measure.Config, end string) string  { return filepath.Join(cfg.Bin, "p15", "ref", end) }

func pair(name string, producer, consumer program, kind Kind, goal float64) measure.Variant {
	return built(name, producer, consumer, job{kind: kind, capacity: DefaultCapacity}, goal)
}

func timed(name string, both program, kind Kind, goal float64) measure.Variant {
	return built(name, both, both, job{kind: kind, capacity: DefaultCapacity, every: timedEvery}, goal)
}

func built(name string, producer, consumer program, j job, goal float64) measure.Variant {
	return measure.Variant{Name: name, Goal: goal,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			j := j
			j.items = uint64(n)
			e := ends{[]string{producer(cfg, "spsc_producer")}, []string{consumer(cfg, "spsc_consumer")}}
			for _, file := range []string{e.producer[0], e.consumer[0]} {
				if _, err := os.Stat(file); err != nil {
					return measure.Sample{}, measure.Skip("%w; make build builds it", err)
				}
			}
			return j.between(ctx, cfg, e)
		}}
}

func threads(name string, kind Kind) measure.Variant {
	return measure.Variant{Name: name, Run: func(ctx context.Context, _ *measure.Config, n int64) (measure.Sample, error) {
		return (&job{kind: kind, capacity: DefaultCapacity, items: uint64(n)}).within(ctx)
	}}
}
