package pthread

import (
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// Thread is a goroutine with an operating system thread of its own, which ends with it.
type Thread struct {
	// alive is robust and held by the thread from before f to its end, when the kernel
	// gives it to Join with EOWNERDEAD: after all other robust mutexes that the thread
	// held, because it was locked first.
	alive    *Mutex
	tid      int
	returned chan struct{}
	join     sync.Once
}

// Go starts a thread that runs f and then ends, like the one of pthread_create(3): what
// f left locked stays locked, or is reported as EOWNERDEAD to the next locker of a
// robust mutex. It is never the main thread, which could not end.
func Go(f func()) *Thread {
	alive, err := NewMutex(MutexAttr{Robust: true})
	if err != nil {
		panic(err) // the attributes are right
	}
	t := &Thread{alive: alive, returned: make(chan struct{})}
	started := make(chan struct{})
	go t.run(f, started)
	<-started
	return t
}

func (t *Thread) run(f func(), started chan struct{}) {
	runtime.LockOSThread()
	if unix.Gettid() == os.Getpid() {
		// The main thread: keep it until another one has taken over.
		elsewhere := make(chan struct{})
		go t.run(f, elsewhere)
		<-elsewhere
		runtime.UnlockOSThread()
		close(started)
		return
	}
	_ = t.alive.Lock() // nobody else knows it yet
	t.tid = unix.Gettid()
	close(started)
	defer close(t.returned)
	f()
}

// ID is the thread's number, as gettid(2) gives it to f.
func (t *Thread) ID() int { return t.tid }

// Join sleeps until the thread is gone; several may call it. As with pthread_join(3), a
// thread that nobody joins leaves a few bytes behind, and one that joins itself sleeps
// for ever.
func (t *Thread) Join() {
	<-t.returned
	t.join.Do(func() {
		_ = t.alive.Lock() // EOWNERDEAD
		_ = t.alive.Unlock()
		_ = t.alive.Destroy()
	})
}
