package p13shmimage

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/projects/p13shmimage/taps"
)

// What a worker is to do with its slot's rows or strips.
const (
	filterJob   = "filter"
	compressJob = "compress"
)

// Work does one job of one slot of the segment, in a process that a master started. It
// ends the process when the master is gone, which shows at the end of standard input.
func Work(job string, id, index int) error {
	go func() {
		for {
			if n, err := unix.Read(0, make([]byte, 1)); err != unix.EINTR && (n <= 0 || err != nil) {
				os.Exit(1)
			}
		}
	}()
	memory, err := attach(id)
	if err != nil {
		return err
	}
	s, err := view(memory)
	if err != nil {
		return err
	}
	if index < 0 || index >= len(s.slots) {
		return fmt.Errorf("slot %d of %d", index, len(s.slots))
	}
	return s.work(job, &s.slots[index])
}

func (s *shared) work(job string, own *slot) error {
	start := time.Now()
	first, last := int(own.First), int(own.Last)
	all := s.in.Height
	if job == compressJob {
		all = s.strips
	}
	if first > last || last > all {
		return fmt.Errorf("%s %d to %d of %d", job, first, last, all)
	}
	if s.header.Portable != 0 {
		taps.Portable()
	}
	own.Pixels.Store(0) // of one who died before
	switch job {
	case filterJob:
		s.band(first, last, func(pixels int) { own.Pixels.Add(uint64(pixels)) })
	case compressJob:
		if err := s.compress(first, last); err != nil {
			return err
		}
	default:
		return fmt.Errorf("no job %q", job)
	}
	own.Nanoseconds.Store(time.Since(start).Nanoseconds())
	own.Done.Store(1)
	return nil
}
