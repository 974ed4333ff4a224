package p15spsc

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/seats"
)

// outcome is what an end prints with --json.
type outcome struct {
	Count     uint64     `json:"count"`        // items that count: all but the first queueful
	NS        int64      `json:"ns,omitempty"` // they took, at the consumer
	Histogram [][2]int64 `json:"histogram,omitempty"`
}

// endFlags are what both ends have.
type endFlags struct {
	*seats.Program
	json *bool
}

const endExample = "  spsc_producer --name /queue --count 1M &\n  spsc_consumer --name /queue"

func newEndFlags(name, about string) *endFlags {
	p := seats.NewProgram(name, about, endExample, "/queue")
	return &endFlags{p, p.Bool("json", false, "print the result as JSON")}
}

func (f *endFlags) Parse(args []string) {
	f.Program.Parse(args)
	runtime.LockOSThread()
}

// yieldThread lets another thread run on this CPU. See sched_yield(2).
func yieldThread() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// turnsWith is how an end waits for the other one, of this name. That one has gone too
// early if it has left the queue empty for a consumer or not empty for a producer.
func turnsWith(e *seats.End, name string, early func() bool) *turn {
	return &turn{
		yield: yieldThread,
		check: func() error {
			gone, err := e.PeerGone()
			if gone && early() {
				return fmt.Errorf("the %s is gone", name)
			}
			return err
		},
	}
}

// ProducerMain is the program spsc_producer.
func ProducerMain(args []string) {
	f := newEndFlags("spsc_producer",
		"Makes a queue in shared memory, waits for a consumer and writes the numbers 0, 1, 2, … to it.")
	p := f.Program
	count := p.String("count", "1M", "items to write: 1000, 10K, 100M")
	capacity := p.Int("capacity", DefaultCapacity, "slots, a power of two")
	kindName := p.String("kind", Cached.String(), fmt.Sprint(Kinds()))
	every := p.Int("every", 0, "write one item in so many `ns`, and time each; 0: all at once, none timed")
	f.Parse(args)
	n, err := cli.ParseCount(*count)
	if err != nil {
		p.BadUsage("--count: %v", err)
	}
	kind, err := ParseKind(*kindName)
	if err != nil {
		p.BadUsage("--kind: %v", err)
	}
	if err := CheckCapacity(*capacity); err != nil {
		p.BadUsage("--capacity: %v", err)
	}
	if *every < 0 {
		p.BadUsage("--every is at least 0")
	}
	var q *Queue
	e, err := seats.Make(*f.Name, Size(*capacity), func(memory []byte) error {
		q, err = Create(memory, *capacity, kind, n)
		return err
	})
	if err != nil {
		f.Exit(err)
	}
	f.ExitOnSignal(func() { _ = e.RemoveName() })
	ctx, cancel := f.Patience()
	defer cancel()
	if err := e.AwaitPeer(ctx); err != nil {
		f.Exit(errors.Join(err, e.RemoveName()))
	}
	o := outcome{Count: n}
	w := turnsWith(e, "consumer", func() bool { return q.Len() > 0 })
	fast := n
	if *every > 0 { // the first queueful is for warming up
		fast = min(n, uint64(*capacity))
		prepareTimes() // while the consumer's clock does not run
	}
	if err := produce(q, 0, fast, w); err != nil {
		f.Exit(err)
	}
	h, err := produceTimed(q, fast, n, float64(*every), w)
	if err != nil {
		f.Exit(err)
	}
	o.Histogram = measure.Pairs(h)
	for q.Len() > 0 { // who leaves earlier looks like one who died
		if err := w.wait(); err != nil {
			f.Exit(err)
		}
	}
	f.Exit(f.report(&o, fmt.Sprintf("sent %d items", n)))
}

// ConsumerMain is the program spsc_consumer.
func ConsumerMain(args []string) {
	f := newEndFlags("spsc_consumer",
		"Reads the numbers that spsc_producer writes, all of them, and checks each one.")
	f.Parse(args)
	f.ExitOnSignal(func() {})
	ctx, cancel := f.Patience()
	defer cancel()
	var q *Queue
	e, err := seats.Join(ctx, *f.Name, ErrNotReady, func(memory []byte) (err error) {
		q, err = Attach(memory)
		return err
	})
	if err != nil {
		f.Exit(err)
	}
	w := turnsWith(e, "producer", func() bool { return q.Len() == 0 })
	total := q.Promised()
	warm := min(total, uint64(q.Capacity()))
	if err := consume(q, 0, warm, w); err != nil {
		f.Exit(err)
	}
	start := time.Now()
	err = consume(q, warm, total, w)
	o := outcome{Count: total - warm, NS: time.Since(start).Nanoseconds()}
	if err != nil {
		f.Exit(err)
	}
	f.Exit(f.report(&o, fmt.Sprintf("received %d items in order", total)))
}

func (f *endFlags) report(o *outcome, text string) error {
	if *f.json {
		return json.NewEncoder(os.Stdout).Encode(o)
	}
	_, err := fmt.Println(text)
	return err
}
