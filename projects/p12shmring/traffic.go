package p12shmring

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"unpipc/projects/internal/measure"
)

// Style is what the ends do with a message.
type Style int

// The styles.
const (
	Copy    Style = iota // the producer copies a message in, the consumer copies it out
	InPlace              // only the numbers are written, and compared in the ring
	Check                // every byte is written and verified, in the ring
)

// outcome is what an end prints with --json.
type outcome struct {
	Count     int64      `json:"count"` // messages; at the consumer those after the warm-up
	Bytes     int64      `json:"bytes"`
	NS        int64      `json:"ns,omitempty"`
	Histogram [][2]int64 `json:"histogram,omitempty"`
}

// produce sends the messages 1 to count.
func produce(p *Producer, count uint64, sizes Sizes, style Style) (o outcome, err error) {
	message := make([]byte, sizes.Most)
	for n := uint64(1); n <= count; n++ {
		size := sizes.of(n)
		room, err := p.Reserve(size)
		if err != nil {
			return o, err
		}
		switch style {
		case Copy:
			stamp(message[:size], n)
			copy(room, message)
		case InPlace:
			stamp(room, n)
		default:
			fill(room, n)
		}
		if err := p.Commit(size); err != nil {
			return o, err
		}
		o.Count++
		o.Bytes += int64(size)
	}
	p.Close()
	return o, nil
}

// consume receives messages to the end; the clock starts after the warm-up.
func consume(c *Consumer, warmup int64, style Style) (o outcome, err error) {
	message := make([]byte, c.ring.Largest())
	start := time.Now()
	for n := uint64(1); ; n++ {
		m, err := c.Next()
		if err == io.EOF {
			o.NS = time.Since(start).Nanoseconds()
			return o, nil
		} else if err != nil {
			return o, err
		}
		switch style {
		case Copy:
			err = compare(message[:copy(message, m)], n)
		case InPlace:
			err = compare(m, n)
		default:
			err = verify(m, n)
		}
		if err != nil {
			return o, err
		}
		o.Count++
		o.Bytes += int64(len(m))
		c.Release()
		if o.Count == warmup {
			o, warmup, start = outcome{}, -1, time.Now()
		}
	}
}

// ping sends messages one by one and times how long each takes there and back.
func ping(p *Producer, back *Consumer, count uint64, size int) (*hdrhistogram.Histogram, error) {
	message, got := make([]byte, size), make([]byte, size)
	times := measure.NewTimes()
	before := time.Now()
	for n := uint64(1); n <= count; n++ {
		stamp(message, n)
		if err := p.Send(message); err != nil {
			return nil, err
		}
		l, err := back.Receive(got)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err == nil {
			err = compare(got[:l], n)
		}
		if err != nil {
			return nil, err
		}
		now := time.Now()
		if err := times.RecordValue(now.Sub(before).Nanoseconds()); err != nil {
			return nil, err
		}
		before = now
	}
	p.Close()
	return times, nil
}

// echo sends back what comes, to the end.
func echo(c *Consumer, back *Producer) (o outcome, err error) {
	for {
		m, err := c.Next()
		if err == io.EOF {
			back.Close()
			return o, nil
		} else if err != nil {
			return o, err
		}
		o.Count++
		o.Bytes += int64(len(m))
		if err := compare(m, uint64(o.Count)); err != nil {
			return o, err
		}
		if err := back.Send(m); err != nil {
			return o, err
		}
		c.Release()
	}
}

// ErrPeer is in the error of an end whose other one has died.
var ErrPeer = errors.New("is gone")

func peerGone(name string) error { return fmt.Errorf("the %s %w", name, ErrPeer) }
