package p07prodcons

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"unpipc/projects/internal/measure"
)

// rows compares the program with its C reference, item by item and in turns, and with what
// Go has for the same.
func rows(measure.Config) []measure.Row {
	const what = "from the start of the program to its verdict"
	const check = "every item consumed once, each producer's in order"
	row := func(name, shape string, variants ...measure.Variant) measure.Row {
		return measure.Row{
			Beside: time.Second, // more items than fill a short run
			Group:  "exercise 7", Name: name, What: shape + ", " + what, Check: check, Unit: "items/s",
			Variants: variants,
		}
	}
	both := func(size int, flags ...string) []measure.Variant {
		return []measure.Variant{program("Go", "p07", 0, size, flags), program("C", "p07/ref", 1, size, flags)}
	}
	inGo := func(size int) []measure.Variant {
		return []measure.Variant{inProcess("Go channel", size, overChannel), inProcess("sync.Cond", size, overCond)}
	}
	detail := func(r measure.Row) measure.Row {
		r.Detail = true
		return r
	}
	const threads, processes = "3 producers, 2 consumers, ", "3 and 2 processes, "
	const inTurns = ", in turns of up to 256 items"
	return []measure.Row{
		row("prodcons_threads", threads+"10 slots", append(both(10), inGo(10)...)...),
		detail(row("prodcons_threads_one_cpu", threads+"10 slots, one CPU", both(10, "--cpus=one")...)),
		row("prodcons_threads_turns", threads+"10 slots"+inTurns, both(10, "--turn=256")...),
		row("prodcons_threads_1000", threads+"1000 slots", append(both(1000), inGo(1000)...)...),
		row("prodcons_threads_1000_turns", threads+"1000 slots"+inTurns, both(1000, "--turn=256")...),
		row("prodcons_processes", processes+"10 slots", both(10, "--processes")...),
		detail(row("prodcons_processes_one_cpu", processes+"10 slots, one CPU", both(10, "--processes", "--cpus=one")...)),
		row("prodcons_processes_turns", processes+"10 slots"+inTurns, both(10, "--processes", "--turn=256")...),
	}
}

// program runs one of the two programs.
func program(name, folder string, goal float64, size int, flags []string) measure.Variant {
	return measure.Variant{Name: name, Goal: goal,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			// So many that the start of a program is little beside them.
			least := int64(1_000_000)
			if size > 10 {
				least = 3_000_000
			}
			if cfg.Quick {
				least /= 50
			}
			items := max(n, least)
			args := append([]string{filepath.Join(cfg.Bin, folder, "producer_consumer"), "--quiet",
				fmt.Sprintf("--items=%d", items), fmt.Sprintf("--buffer-size=%d", size)}, flags...)
			start := time.Now()
			out, err := measure.Together(ctx, cfg, measure.Command{Args: args})
			if err != nil {
				return measure.Sample{}, err
			}
			if !strings.Contains(out[0], "\nPASS: ") {
				return measure.Sample{}, fmt.Errorf("no PASS in %q", out[0])
			}
			elapsed := float64(time.Since(start)) * float64(n) / float64(items)
			return measure.Sample{Elapsed: time.Duration(elapsed), Verified: n}, nil
		}}
}

// inProcess runs the same with goroutines in this process.
func inProcess(name string, size int, move func(items int64, size int) *tally) measure.Variant {
	return measure.Variant{Name: name,
		Run: func(_ context.Context, _ *measure.Config, n int64) (measure.Sample, error) {
			start := time.Now()
			t := move(n, size)
			if t.consumed != n || t.wrong != 0 {
				return measure.Sample{}, fmt.Errorf("%d of %d items, %d of them wrong", t.consumed, n, t.wrong)
			}
			return measure.Sample{Elapsed: time.Since(start), Verified: n}, nil
		}}
}

const benchProducers, benchConsumers = 3, 2

// tally checks items off as the program does.
type tally struct {
	mu              sync.Mutex
	consumed, wrong int64
	bits            []uint64
}

func newTally(items int64) *tally { return &tally{bits: make([]uint64, items/64+1)} }

// checkOff notes an item; under the mutex.
func (t *tally) checkOff(s slot) {
	word, bit := &t.bits[s.item/64], uint64(1)<<(s.item%64)
	if *word&bit != 0 {
		t.wrong++
	}
	*word |= bit
	t.consumed++
}

// overChannel moves items over a buffered channel. Who takes an item off it is known too
// late to check the order, so only each consumer's own is looked at.
func overChannel(items int64, size int) *tally {
	ch := make(chan slot, size)
	t := newTally(items)
	var next int64
	var mu sync.Mutex
	var producing, consuming sync.WaitGroup
	for p := range int64(benchProducers) {
		producing.Go(func() {
			for seq := int64(1); ; seq++ {
				mu.Lock()
				next++
				item := next
				mu.Unlock()
				if item > items {
					return
				}
				ch <- slot{item, seq, p}
			}
		})
	}
	for range benchConsumers {
		consuming.Go(func() {
			var seen [benchProducers]int64
			for s := range ch {
				t.mu.Lock()
				t.checkOff(s)
				if s.seq <= seen[s.producer] {
					t.wrong++
				}
				t.mu.Unlock()
				seen[s.producer] = s.seq
			}
		})
	}
	producing.Wait()
	close(ch)
	consuming.Wait()
	return t
}

// overCond moves items through a buffer with a sync.Mutex and two sync.Cond.
func overCond(items int64, size int) *tally {
	t := newTally(items)
	notFull, notEmpty := sync.NewCond(&t.mu), sync.NewCond(&t.mu)
	slots := make([]slot, size)
	var produced int64
	var filled, in, out int
	var seen [benchProducers]int64
	var running sync.WaitGroup
	for p := range int64(benchProducers) {
		running.Go(func() {
			for seq := int64(1); ; seq++ {
				t.mu.Lock()
				for filled == size && produced < items {
					notFull.Wait()
				}
				if produced == items {
					t.mu.Unlock()
					return
				}
				produced++
				slots[in] = slot{produced, seq, p}
				in = (in + 1) % size
				filled++
				if produced == items {
					notFull.Broadcast()
				}
				notEmpty.Signal()
				t.mu.Unlock()
			}
		})
	}
	for range benchConsumers {
		running.Go(func() {
			for {
				t.mu.Lock()
				for filled == 0 && t.consumed < items {
					notEmpty.Wait()
				}
				if t.consumed == items {
					t.mu.Unlock()
					return
				}
				s := slots[out]
				out = (out + 1) % size
				filled--
				t.checkOff(s)
				if s.seq != seen[s.producer]+1 {
					t.wrong++
				}
				seen[s.producer] = s.seq
				if t.consumed == items {
					notEmpty.Broadcast()
				}
				notFull.Signal()
				t.mu.Unlock()
			}
		})
	}
	running.Wait()
	return t
}
