package p12shmring

import (
	"context"
	"os"
	"path/filepath"

	"unpipc/projects/internal/measure"
)

const (
	group = "exercise 12"
	check = "the number at both ends of every message"
	what  = "messages from one process to another, copied in and out, from the reader's first ringful to the end; "
)

// batch is what the rows with batches keep back: an eighth of the ring.
const batch = DefaultCapacity / 8

// Goals: ours to the peer, by size. At 64 bytes our batches are held to C's messages one
// by one, and to C's batches without a goal.
var (
	pipeGoals = map[int]float64{64: 25, 1 << 10: 8}
	cGoals    = map[int]float64{64: 1.2, 1 << 10: 0.95}
)

// On one CPU, where the copies do not outweigh everything else.
var oneCPUGoals = map[int]float64{64: 5, 1 << 10: 5}

func rows(cfg measure.Config) []measure.Row {
	sizes := cfg.Sizes
	if len(sizes) == 0 {
		sizes = []int{64, 1 << 10, 16 << 10}
	}
	var rows []measure.Row
	add := func(name, text string, size int, unit measure.Unit, variants ...measure.Variant) {
		rows = append(rows, measure.Row{Group: group, Name: name, What: text, Check: check, Size: size, Unit: unit, Variants: variants})
	}
	for _, size := range sizes {
		if size < leastMessage || size > DefaultCapacity/4 {
			continue
		}
		batched := job{size: size, capacity: DefaultCapacity, batch: batch}
		single := job{size: size, capacity: DefaultCapacity}
		inPlace := job{size: size, capacity: DefaultCapacity, batch: batch, inPlace: true}
		together := job{size: size, capacity: DefaultCapacity, batch: batch, oneCPU: true}
		twin, twinJob := "C", batched
		if size <= 64 {
			twin, twinJob = "C one by one", single
		}
		add("bw_ring", what+"published by the eighth of the ring", size, measure.Messages,
			variant("Go", inGo, inGo, batched, 0), variant(twin, inC, inC, twinJob, cGoals[size]),
			variant("C", inC, inC, batched, 0), peer("C pipe", "pipe", size, false, pipeGoals[size]),
			peer("C Unix socket", "unix_stream", size, false, 0))
		last := &rows[len(rows)-1]
		if twin == "C" { // said already
			last.Variants = append(last.Variants[:2:2], last.Variants[3:]...)
		}
		if size == 1<<10 {
			last.Variants = append(last.Variants, shmipc(batched, 0))
		}
		detail := len(rows) + 1 // what stands between bw_ring_single and lat_ring
		add("bw_ring_single", what+"every message published at once", size, measure.Messages,
			variant("Go", inGo, inGo, single, 0), variant("C", inC, inC, single, 0))
		if size == 1<<10 {
			last := &rows[len(rows)-1]
			last.Variants = append(last.Variants, shmipc(single, 5))
		}
		add("bw_ring_in_place", "messages whose ends alone are written and read, in the ring", size, measure.Messages,
			variant("Go", inGo, inGo, inPlace, 0), variant("C", inC, inC, inPlace, 0))
		add("bw_ring_crossed", what+"Go and C at the two ends of one ring", size, measure.Messages,
			variant("Go", inGo, inGo, batched, 0), variant("Go to C", inGo, inC, batched, 0), variant("C to Go", inC, inGo, batched, 0))
		add("bw_ring_one_cpu", what+"both processes on one CPU", size, measure.Messages,
			variant("Go", inGo, inGo, together, 0), peer("C pipe", "pipe", size, true, oneCPUGoals[size]))
		for i := range rows[detail:] {
			rows[detail+i].Detail = true
		}
		add("lat_ring", "from sending a message to its return through a second ring", size, measure.Nanoseconds,
			variant("Go", inGo, inGo, job{size: size, capacity: DefaultCapacity, echo: true}, 0),
			variant("C", inC, inC, job{size: size, capacity: DefaultCapacity, echo: true}, 0))
	}
	return rows
}

// program finds one of the two ends.
type program func(cfg *measure.Config, end string) string

func inGo(cfg *measure.Config, end string) string { return filepath.Join(cfg.Bin, "p12", end) }
func inC(cfg *measure.Config, end string) string  { return filepath.Join(cfg.Bin, "p12", "ref", end) }

func variant(name string, producer, consumer program, j job, goal float64) measure.Variant {
	return between(name, goal, j, func(cfg *measure.Config) ends {
		return ends{[]string{producer(cfg, "ring_producer")}, []string{consumer(cfg, "ring_consumer")}}
	})
}

// shmipc is shmipc-go, which as the ring is told of a batch at once.
func shmipc(j job, goal float64) measure.Variant {
	return between("shmipc-go", goal, j, func(cfg *measure.Config) ends {
		load := inGo(cfg, "shmipc_load")
		return ends{[]string{load, "producer"}, []string{load, "consumer"}}
	})
}

func between(name string, goal float64, j job, programs func(cfg *measure.Config) ends) measure.Variant {
	return measure.Variant{Name: name, Goal: goal,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			j := j
			j.count = n
			e := programs(cfg)
			for _, file := range []string{e.producer[0], e.consumer[0]} {
				if _, err := os.Stat(file); err != nil {
					return measure.Sample{}, measure.Skip("%w; make build builds it", err)
				}
			}
			return j.run(ctx, cfg, e)
		}}
}

// peer is another mechanism, measured as package transfer does.
func peer(name, channel string, size int, oneCPU bool, goal float64) measure.Variant {
	return measure.Variant{Name: name, Goal: goal,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			v, err := other(channel, "C", size)
			if err != nil {
				return measure.Sample{}, err
			}
			if cpus := measure.TwoCPUs(); oneCPU && cpus != nil && len(cfg.Pin) == 0 {
				one := *cfg
				one.Pin = cpus[:1]
				cfg = &one
			}
			return v.Run(ctx, cfg, n)
		}}
}
