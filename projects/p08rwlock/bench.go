package p08rwlock

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
	"unpipc/gobind/pthread"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
)

// roleArgument as first argument makes test_myrwlock measure a lock instead.
const roleArgument = "rwlock-bench"

// Role is to be called first in main: it returns at once, unless this process was
// started to measure a lock for the benchmark; then it does and exits.
func Role() {
	if len(os.Args) > 1 && os.Args[1] == roleArgument {
		benchMain(os.Args[2:])
	}
}

func benchMain(args []string) {
	p := cli.New(roleArgument, "", "Several threads read and write under a lock; the time goes to standard output as JSON.",
		"  test_myrwlock rwlock-bench --lock futex --reads 90 --count 1000000")
	name := p.String("lock", "futex", "futex, sync, pthread, reader, writer or fair")
	reads := p.Int("reads", 100, "reads in 100 operations")
	shared := p.String("shared", "", "the futex lock is in the shared memory object of this name, also for others")
	threads := p.Int("threads", 4, "threads; goroutines, of sync")
	count := p.Int64("count", 1000, "operations of all of them")
	p.Parse(args)
	if *reads < 0 || *reads > 100 || *threads < 1 || *threads > 1000 || *count < 0 || p.NArg() > 0 {
		p.BadUsage("--reads is 0 to 100, --threads 1 to 1000")
	}
	if *shared != "" && *name != "futex" {
		p.BadUsage("--shared is for --lock futex")
	}
	o, err := bench(*name, *shared, *threads, *count, 100-*reads)
	if errors.Is(err, errNoLock) {
		p.BadUsage("%v", err)
	}
	if err != nil {
		p.Exit(err)
	}
	p.Exit(json.NewEncoder(os.Stdout).Encode(o))
}

// outcome is what a process that measures prints, as JSON.
type outcome struct {
	Count int64 `json:"count"` // operations that were right
	NS    int64 `json:"ns"`    // all of them took
}

// cells are the words that the lock guards, in a cache line of their own: as little as
// can be wrong, so that it is the lock that is measured.
type cells struct {
	_    [64]byte
	a, b uint64
	_    [64]byte
}

func (c *cells) consistent() bool { return c.a == c.b }

// right counts a look at the words that finds them right.
func (c *cells) right() int64 {
	if c.consistent() {
		return 1
	}
	return 0
}

func (c *cells) write() {
	c.a++
	c.b++
}

// share is what one goroutine does and has found right.
type share struct {
	count, right, writes int64
	err                  error
}

// withCells is memory for a futex lock with cells behind it, which goes with the process;
// that of a name is for all who know it, and must be there.
func withCells(shared string) (*FutexRWLock, *cells, error) {
	const size = FutexSize + int(unsafe.Sizeof(cells{}))
	var o *posixshm.Object
	var err error
	if shared != "" {
		o, err = posixshm.Open(shared, unix.O_RDWR, 0)
	} else if o, err = posixshm.Memfd("rwlock", 0); err == nil {
		err = o.Allocate(size)
	}
	if err != nil {
		return nil, nil, err
	}
	memory, err := o.Map(size, true)
	if err != nil {
		return nil, nil, err
	}
	l, err := FutexAt(memory)
	return l, (*cells)(unsafe.Pointer(&memory[FutexSize])), err
}

// bench measures count operations, writes of 100 of which write. The lock's calls
// are made on its own type where a program would have them inlined.
func bench(name, shared string, threads int, count int64, writes int) (outcome, error) {
	c := &cells{}
	var loop func(s *share, writes int)
	// Each worker is a thread that stays on a CPU, as C's are; Go's own lock is goroutines'.
	threadsOwn := name != "sync"
	if threadsOwn { // as package pthread says of threads that meet at locks
		runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), threads+1))
	}
	switch name {
	case "futex":
		l, guarded, err := withCells(shared)
		if err != nil {
			return outcome{}, err
		}
		c = guarded
		loop = func(s *share, writes int) {
			var r *FutexReader
			if r, s.err = l.Reader(); s.err == nil {
				futexLoop(l, r, c, s, writes)
			}
		}
	case "sync":
		l := &sync.RWMutex{}
		loop = func(s *share, writes int) { syncLoop(l, c, s, writes) }
	default:
		l, err := benchLock(name)
		if err != nil {
			return outcome{}, err
		}
		defer l.Destroy()
		loop = func(s *share, writes int) { lockLoop(l, c, s, writes) }
	}
	var ready, start, done sync.WaitGroup
	start.Add(1)
	shares := make([]share, threads)
	worker := func(i int) {
		defer done.Done()
		s := share{count: count / int64(threads)}
		if int64(i) < count%int64(threads) {
			s.count++
		}
		if threadsOwn {
			s.err = measure.KeepToCPU(i)
		}
		ready.Done()
		start.Wait()
		if s.err == nil {
			loop(&s, writes)
		}
		shares[i] = s
	}
	ready.Add(threads)
	done.Add(threads)
	for i := range threads {
		if threadsOwn {
			pthread.Go(func() { worker(i) })
		} else {
			go worker(i)
		}
	}
	ready.Wait()
	begin := time.Now()
	start.Done()
	done.Wait()
	o := outcome{NS: time.Since(begin).Nanoseconds()}
	var written int64
	for _, s := range shares {
		o.Count += s.right
		written += s.writes
		if s.err != nil {
			return o, s.err
		}
	}
	if shared == "" && (!c.consistent() || c.a != uint64(written)) {
		return o, fmt.Errorf("%d writes left the words at %d", written, c.a)
	}
	return o, nil
}

// The counts are in registers, as C's are: a store before each of the lock's
// atomic operations would be waited for.

func futexLoop(l *FutexRWLock, r *FutexReader, c *cells, s *share, writes int) {
	due, right, written := 0, int64(0), int64(0)
	for range s.count {
		if due += writes; due >= 100 {
			due -= 100
			_ = l.Lock()
			right += c.right()
			c.write()
			_ = l.Unlock()
			written++
		} else {
			_ = r.RLock()
			right += c.right()
			r.RUnlock()
		}
	}
	s.right, s.writes = right, written
}

func syncLoop(l *sync.RWMutex, c *cells, s *share, writes int) {
	due, right, written := 0, int64(0), int64(0)
	for range s.count {
		if due += writes; due >= 100 {
			due -= 100
			l.Lock()
			right += c.right()
			c.write()
			l.Unlock()
			written++
		} else {
			l.RLock()
			right += c.right()
			l.RUnlock()
		}
	}
	s.right, s.writes = right, written
}

func lockLoop(l Locker, c *cells, s *share, writes int) {
	due, right, written := 0, int64(0), int64(0)
	var err error
	for i := int64(0); i < s.count && err == nil; i++ {
		if due += writes; due >= 100 {
			due -= 100
			if err = l.Lock(); err == nil {
				right += c.right()
				c.write()
				written++
				err = l.Unlock()
			}
		} else if err = l.RLock(); err == nil {
			right += c.right()
			err = l.RUnlock()
		}
	}
	s.right, s.writes, s.err = right, written, err
}
