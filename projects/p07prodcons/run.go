package p07prodcons

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
	"unpipc/gobind/process"
	"unpipc/gobind/pthread"
)

// Options say what to run. The zero value of what is not given is not a default.
type Options struct {
	Count    [2]int // producers, consumers
	Capacity int    // items that the buffer holds
	Items    int64
	Variant  Variant
	Quiet    bool
	// Spurious wakes all that wait every millisecond, for no reason.
	Spurious  bool
	Processes bool   // every member is a process
	Name      string // of the shared memory; "": one that is made up
	Guests    int    // members that join from elsewhere before it begins
	Turn      int    // items that a member may move before it lets others in; not of guests
	OneCPU    OneCPU // members stay on the CPU on which the run is started; not guests
}

func (o *Options) shared() bool { return o.Processes || o.Guests > 0 }

// run is one from its owner's view.
type run struct {
	*monitor
	Options
	threads  []*pthread.Thread
	children map[int]*process.Process // by member
	watching sync.WaitGroup           // one for each child
	started  chan struct{}            // closed when there will be no more children
	dead     chan int                 // members that ended without leaving
}

// Run runs producers and consumers and prints what they did. Its error is that of a
// run that did not work, ErrWrong where items were lost or worse, or the cause of ctx.
func Run(ctx context.Context, o Options, w io.Writer) error {
	if o.Name == "" {
		o.Name = defaultName()
	}
	m, end, err := o.make()
	if err != nil {
		return err
	}
	m.turn = o.Turn
	if o.OneCPU {
		if m.cpu, err = currentCPU(); err != nil {
			end()
			return err
		}
	}
	// As many as there are threads: one that comes back from C must not queue for the
	// right to run Go code.
	if n := o.Count[Producer] + o.Count[Consumer] + 2; !o.Processes {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(n, runtime.GOMAXPROCS(0))))
	}
	r := &run{monitor: m, Options: o, children: map[int]*process.Process{},
		started: make(chan struct{}), dead: make(chan int, maxMembers)}
	fmt.Fprintf(w, "Producer-Consumer Simulation\nBuffer size: %d, Producers: %d, Consumers: %d, Items: %d\n",
		o.Capacity, o.Count[Producer], o.Count[Consumer], o.Items)
	if o.Guests > 0 {
		fmt.Fprintf(w, "Waiting for %d more to join %s\n", o.Guests, o.Name)
	}
	if !o.Quiet {
		fmt.Fprintln(w)
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		r.do(func() { r.stopRun(interrupted) })
	})
	over := make(chan error)
	go func() { over <- r.play() }()
	select {
	case err = <-over:
	case me := <-r.dead:
		end()
		return r.giveUp(me, w)
	}
	if !stop() {
		<-stopped
		end()
		return context.Cause(ctx)
	}
	defer end()
	if err != nil {
		return err
	}
	return r.report(w)
}

// giveUp ends a run of which a member died. That one may have held the mutex, which is
// robust, or been inside a condition variable, which is not, and then whoever calls it next
// hangs. So neither is touched here, and the threads of this process are left where they
// are.
func (r *run) giveUp(me int, w io.Writer) error {
	m := &r.member[me]
	fmt.Fprintf(os.Stderr, "producer_consumer: %s%d (process %d) died\n", m.kind.letter(), m.number, m.pid)
	r.stop = died
	for _, child := range r.children {
		_ = child.Signal(unix.SIGKILL)
	}
	r.watching.Wait()
	return r.report(w)
}

// make makes the monitor; end removes its name.
func (o *Options) make() (m *monitor, end func(), err error) {
	size := int(bufferSize(o.Capacity, o.Items))
	init := func(b *buffer) {
		b.variant, b.capacity, b.items, b.owner = o.Variant, int32(o.Capacity), o.Items, int32(os.Getpid())
		if o.shared() {
			b.shared = 1
		}
	}
	if !o.shared() {
		memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
		if err != nil {
			return nil, nil, os.NewSyscallError("mmap", err)
		}
		m, err = at(memory, init)
		return m, func() {}, err
	}
	object, err := create(o.Name)
	if err != nil {
		return nil, nil, err
	}
	remove := func() {
		_ = posixshm.Unlink(o.Name)
		_ = object.Close()
	}
	var memory []byte
	if err = object.Allocate(size); err == nil {
		memory, err = object.Map(size, true)
	}
	if err == nil {
		m, err = at(memory, init)
	}
	if err != nil {
		remove()
		return nil, nil, err
	}
	return m, remove, nil
}

// play starts the members and waits for their end.
func (r *run) play() error {
	own := r.Count[Producer] + r.Count[Consumer]
	r.do(func() {
		for i := range own {
			kind := Producer
			if i < r.Count[Consumer] {
				kind = Consumer
			}
			r.join(kind, os.Getpid())
		}
	})
	if r.shared() {
		r.publish()
	}
	var err error
	for i := 0; i < own && err == nil; i++ {
		err = r.start(i)
	}
	close(r.started)
	ended := make(chan struct{})
	if r.Guests > 0 {
		go r.missGuests(own, ended)
	}
	r.do(func() {
		if err != nil {
			r.stopRun(died)
		}
		r.attend(own + r.Guests)
	})
	for me, child := range r.children {
		if r.member[me].gone == 0 {
			r.member[me].gone = 1 // it was stopped by SIGSTOP, and the run is
			_ = child.Signal(unix.SIGKILL)
		}
	}
	r.watching.Wait()
	close(ended)
	for _, t := range r.threads {
		t.Join()
	}
	if err == nil {
		err = r.failed
	}
	return err
}

// start starts a member: as a thread, or as this program again.
func (r *run) start(me int) error {
	if !r.Processes {
		r.threads = append(r.threads, pthread.Go(func() { r.takePart(me, r.Quiet) }))
		return nil
	}
	args := []string{"producer_consumer", fmt.Sprintf("--member=%d", me), "--name=" + r.Name,
		fmt.Sprintf("--turn=%d", r.Turn), fmt.Sprintf("--cpu=%d", r.cpu)}
	if r.Quiet {
		args = append(args, "--quiet")
	}
	// Ctrl-C is for the owner alone, who ends the run.
	child, err := process.Start(&process.Cmd{
		Args: args, Path: "/proc/self/exe", Files: []int{0, 1, 2}, Ignore: []unix.Signal{unix.SIGINT, unix.SIGPIPE},
	})
	if err != nil {
		return err
	}
	r.children[me] = child
	r.member[me].pid = int32(child.Pid())
	r.watching.Go(func() {
		_, _ = child.Wait()
		<-r.started // who gives up kills all of them
		if r.member[me].gone == 0 {
			r.dead <- me
		}
	})
	return nil
}

// missGuests looks whether those that have joined from elsewhere are still there.
func (r *run) missGuests(own int, ended <-chan struct{}) {
	for {
		select {
		case <-ended:
			return
		case <-time.After(100 * time.Millisecond):
		}
		for me := own; me < int(r.members); me++ {
			m := &r.member[me]
			// It leaves before it ends, so ask once more.
			if m.gone == 0 && unix.Kill(int(m.pid), 0) == unix.ESRCH && m.gone == 0 {
				r.dead <- me
				return
			}
		}
	}
}

// attend lets the run begin when all are there, and waits for its end.
func (r *run) attend(expected int) {
	tick := 100 * time.Millisecond
	if r.Spurious {
		tick = time.Millisecond
	}
	b, empty := r.buffer, r.condition(notEmpty)
	disturbed, afterStop := false, 0
	for b.present > 0 || b.begun == 0 {
		switch {
		case b.begun == 0 && int(b.members) == expected && (!r.Spurious || disturbed && b.woken[empty] == 0):
			b.begun = 1
			r.wakeAll()
		case r.Spurious && (b.begun != 0 || !disturbed && int(b.waiting[empty]) >= r.Count[Consumer]):
			// The first time is while the buffer is empty and all consumers wait.
			disturbed = true
			r.wakeAll()
		}
		woken := r.waitFor(changed, tick)
		if b.stop == goesOn {
			continue
		}
		if !woken {
			afterStop++ // one that was stopped by SIGSTOP does not leave
		}
		if b.begun == 0 || afterStop > 50 {
			return
		}
	}
}

// ErrWrong is the error of a run that ended with items lost, doubled or out of order, or
// that did not end by itself.
var ErrWrong = errors.New("not all items were produced and consumed correctly")

// report prints the statistics and the verdict.
func (r *run) report(w io.Writer) error {
	b := r.buffer
	missing := b.items
	for _, word := range r.bits {
		missing -= int64(bits.OnesCount64(word))
	}
	fmt.Fprintf(w, "\nStatistics:\n  Total produced: %d\n  Total consumed: %d\n"+
		"  Buffer empty waits: %d\n  Buffer full waits: %d\n\n",
		b.produced, b.consumed, b.waits[notEmpty], b.waits[notFull])
	wrong := b.twice + b.strange + b.disorder
	if b.stop == goesOn && b.produced == b.items && b.consumed == b.items && missing+wrong == 0 {
		_, err := fmt.Fprintln(w, "PASS: All items produced and consumed correctly")
		return err
	}
	switch b.stop {
	case deadlock:
		fmt.Fprintf(w, "FAIL: deadlock, all %d threads wait with %d items in the buffer\n", b.stuck, b.filled)
	case died:
		fmt.Fprintln(w, "FAIL: a producer or consumer died")
	case noOutput:
		return fmt.Errorf("standard output: %w", unix.EPIPE)
	}
	if wrong > 0 || b.stop == goesOn {
		fmt.Fprintf(w, "FAIL: %d items never consumed, %d twice, %d out of order, %d that nobody produced\n",
			missing, b.twice, b.disorder, b.strange)
	}
	return ErrWrong
}
