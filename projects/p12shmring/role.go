package p12shmring

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/seats"
)

// DefaultCapacity is what the guide's example has.
const DefaultCapacity = 1 << 20

// endFlags are what both ends have.
type endFlags struct {
	*seats.Program
	echo, json  *bool
	check, zero *bool
}

const endExample = "  ring_producer --name /ring --count 1M --size 1KB &\n  ring_consumer --name /ring"

func newEndFlags(name, about string) *endFlags {
	p := seats.NewProgram(name, about, endExample, "/ring")
	return &endFlags{
		Program: p,
		check:   p.Bool("check", false, "every byte of every message is made from its number and verified (at both ends)"),
		zero:    p.Bool("in-place", false, "only numbers are written and compared, in the ring: nothing is copied"),
		echo:    p.Bool("echo", false, "every message comes back through a second ring, and is timed (at both ends)"),
		json:    p.Bool("json", false, "print the result as JSON"),
	}
}

func (f *endFlags) Parse(args []string) {
	f.Program.Parse(args)
	if *f.check && *f.zero || *f.echo && (*f.check || *f.zero) {
		f.BadUsage("--check, --in-place and --echo exclude each other")
	}
}

func (f *endFlags) style() Style {
	switch {
	case *f.check:
		return Check
	case *f.zero:
		return InPlace
	}
	return Copy
}

// names are those of the ring, and of the one back with --echo.
func (f *endFlags) names() []string {
	if *f.echo {
		return []string{*f.Name, *f.Name + "-back"}
	}
	return []string{*f.Name}
}

// checkPeer is the Check of an end.
func checkPeer(e *seats.End, peer string) func() error {
	return func() error {
		gone, err := e.PeerGone()
		if gone {
			return peerGone(peer)
		}
		return err
	}
}

func (f *endFlags) report(o *outcome, verb string) error {
	if *f.json {
		return json.NewEncoder(os.Stdout).Encode(o)
	}
	_, err := fmt.Printf("%s %d messages, %d bytes\n", verb, o.Count, o.Bytes)
	return err
}

// ProducerMain is the program ring_producer.
func ProducerMain(args []string) {
	f := newEndFlags("ring_producer", "Makes a ring in shared memory, waits for a consumer and sends messages.")
	p := f.Program
	countText := p.String("count", "1M", "messages: 1000, 10K, 100M")
	sizeText := p.String("size", "1KB", "bytes in a message, at least 16: 64, 1KB (of 1024)")
	vary := p.Bool("vary", false, "messages of 16 bytes to --size")
	capacityText := p.String("buffer-size", "1MB", "bytes of the ring, a power of two")
	batchText := p.String("batch", "0", "bytes to keep back before they are published; 0: every message at once")
	f.Parse(args)
	count, err := cli.ParseCount(*countText)
	if err != nil {
		p.BadUsage("--count: %v", err)
	}
	sizes := Sizes{Vary: *vary}
	if sizes.Most, err = cli.ParseSize(*sizeText); err != nil || sizes.Most < leastMessage {
		p.BadUsage("--size: %q is no size from %d bytes up", *sizeText, leastMessage)
	}
	capacity, err := cli.ParseSize(*capacityText)
	if err == nil {
		err = CheckCapacity(capacity)
	}
	if err != nil {
		p.BadUsage("--buffer-size: %v", err)
	}
	batch := 0
	if *batchText != "0" {
		if batch, err = cli.ParseSize(*batchText); err != nil {
			p.BadUsage("--batch: %v", err)
		}
	}
	var rings []*Ring
	var all []*seats.End
	for _, name := range f.names() {
		e, err := seats.Make(name, Size(capacity), func(memory []byte) error {
			r, err := Create(memory, capacity)
			rings = append(rings, r)
			return err
		})
		if err != nil {
			for _, e := range all {
				err = errors.Join(err, e.RemoveName())
			}
			f.Exit(err)
		}
		all = append(all, e)
	}
	f.ExitOnSignal(func() {
		for _, e := range all {
			_ = e.RemoveName()
		}
	})
	ctx, cancel := f.Patience()
	defer cancel()
	for i, e := range all {
		if err := e.AwaitPeer(ctx); err != nil {
			for _, e := range all[i:] {
				err = errors.Join(err, e.RemoveName())
			}
			f.Exit(err)
		}
	}
	producer := rings[0].Producer()
	producer.Batch, producer.Check = batch, checkPeer(all[0], "consumer")
	var o outcome
	if *f.echo {
		back := rings[1].Consumer()
		back.Check = checkPeer(all[1], "consumer")
		times, err := ping(producer, back, count, sizes.Most)
		if err != nil {
			f.Exit(err)
		}
		o.Histogram = measure.Pairs(times)
		o.Count, o.Bytes = int64(count), int64(count)*int64(sizes.Most)
	} else if o, err = produce(producer, count, sizes, f.style()); err != nil {
		f.Exit(err)
	}
	if err := drained(rings[0], producer.Check); err != nil {
		f.Exit(err)
	}
	f.Exit(f.report(&o, "sent"))
}

// drained waits until the consumer has given everything back: who is gone before looks
// like one who died, and a consumer who died has not read it.
func drained(r *Ring, check func() error) error {
	w := newWaiter(r.producerSleeps)
	return w.await(r.Empty, check)
}

// ConsumerMain is the program ring_consumer.
func ConsumerMain(args []string) {
	f := newEndFlags("ring_consumer", "Receives what ring_producer sends, to its end, and checks every message.")
	warmup := f.Int64("warmup", 0, "messages that do not count in --json's figures")
	f.Parse(args)
	f.ExitOnSignal(func() {})
	ctx, cancel := f.Patience()
	defer cancel()
	var rings []*Ring
	var all []*seats.End
	for _, name := range f.names() {
		e, err := seats.Join(ctx, name, ErrNotReady, func(memory []byte) error {
			r, err := Attach(memory)
			if err == nil {
				rings = append(rings, r)
			}
			return err
		})
		if err != nil {
			f.Exit(err)
		}
		all = append(all, e)
	}
	consumer := rings[0].Consumer()
	consumer.Check = checkPeer(all[0], "producer")
	var o outcome
	var err error
	if *f.echo {
		back := rings[len(rings)-1].Producer()
		back.Check = checkPeer(all[1], "producer")
		o, err = echo(consumer, back)
	} else {
		o, err = consume(consumer, *warmup, f.style())
	}
	if err != nil {
		f.Exit(err)
	}
	f.Exit(f.report(&o, "received"))
}
