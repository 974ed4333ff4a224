package p15spsc

import (
	"context"
	"errors"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/measure"
)

// within runs the job between two goroutines of this process, each on a thread of its
// own.
func (j *job) within(ctx context.Context) (s measure.Sample, err error) {
	// Not the Go heap: libc's locks are in it.
	memory, err := unix.Mmap(-1, 0, Size(j.capacity), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return s, os.NewSyscallError("mmap", err)
	}
	defer func() { err = errors.Join(err, os.NewSyscallError("munmap", unix.Munmap(memory))) }()
	warm, last := uint64(j.capacity), uint64(j.capacity)+j.items
	q, err := Create(memory, j.capacity, j.kind, last)
	if err != nil {
		return s, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turns := func() *turn {
		return &turn{yield: yieldBoth, check: func() error { return context.Cause(ctx) }}
	}
	if j.every > 0 {
		prepareTimes()
	}
	produced := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := produce(q, 0, warm, turns())
		switch {
		case err != nil:
		case j.every > 0:
			s.Times, err = produceTimed(q, warm, last, float64(j.every), turns())
		default:
			err = produce(q, warm, last, turns())
		}
		if err != nil {
			cancel(err)
		}
		produced <- err
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = consume(q, 0, warm, turns())
	start := time.Now()
	if err == nil {
		err = consume(q, warm, last, turns())
	}
	s.Elapsed = time.Since(start)
	if err != nil {
		cancel(err)
	}
	s.Verified = int64(j.items)
	return s, errors.Join(err, <-produced)
}

// yieldBoth lets another goroutine run, and another thread: either may be the one that
// is waited for.
func yieldBoth() {
	runtime.Gosched()
	yieldThread()
}
