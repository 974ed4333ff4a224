package p16rpccalc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Figures are what many calls took.
type Figures struct {
	Calls   int64
	Elapsed time.Duration // from the first, with all clients connected, to the last
	CPU     time.Duration // of this process meanwhile
}

func (f Figures) String() string {
	return fmt.Sprintf("%d calls in %.6f s: %.0f per second, %d ns of CPU each",
		f.Calls, f.Elapsed.Seconds(), float64(f.Calls)/f.Elapsed.Seconds(), int64(f.CPU)/f.Calls)
}

// Asker makes the same call again and again, and compares what comes back.
type Asker interface {
	Repeat(n int64) error
	Close() error
}

// Together has clients share count calls. Each is dialled and makes one call before the
// time begins.
func Together(count int64, clients int, dial func() (Asker, error)) (Figures, error) {
	var connected, done sync.WaitGroup
	begin := make(chan struct{})
	failures := make([]error, clients)
	for i := range int64(clients) {
		share := count / int64(clients)
		if i < count%int64(clients) {
			share++
		}
		connected.Add(1)
		done.Go(func() {
			c, err := dial()
			if err == nil {
				defer c.Close()
				err = c.Repeat(1)
			}
			connected.Done()
			<-begin
			if err == nil {
				err = c.Repeat(share)
			}
			failures[i] = err
		})
	}
	connected.Wait()
	start, cpu := time.Now(), cpuTime()
	close(begin)
	done.Wait()
	return Figures{count, time.Since(start), cpuTime() - cpu}, errors.Join(failures...)
}

// Load asks a question count times, by so many clients, and compares every result with the
// one expected.
func Load(t Target, q Question, count int64, clients int, expected int32) (Figures, error) {
	return Together(count, clients, func() (Asker, error) {
		c, err := Dial(t)
		return &asker{c, q, expected}, err
	})
}

type asker struct {
	*Client
	question Question
	expected int32
}

func (a *asker) Repeat(n int64) error {
	for range n {
		got, err := a.Ask(context.Background(), a.question)
		if err != nil {
			return err
		}
		if got != a.expected {
			return fmt.Errorf("%v: first the result was %d, then %d", &a.question, a.expected, got)
		}
	}
	return nil
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}
