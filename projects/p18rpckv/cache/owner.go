package cache

import (
	"bytes"
	"errors"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
)

// What the kernel leaves in the word of a robust futex: linux/futex.h, and its
// Documentation/locking/robust-futex-ABI.rst.
const (
	ownerDied = 0x40000000
	tidMask   = 0x3fffffff
)

// owner is a thread that holds a mutex and does nothing else: what is held by one thread
// cannot be given back by another.
type owner struct {
	thread *pthread.Thread
	stop   chan struct{}
	result chan error
}

// own starts the thread. word is where the mutex has its owner.
func own(mutex *pthread.Mutex, word *uint32) (*owner, error) {
	o := &owner{stop: make(chan struct{}), result: make(chan error)}
	o.thread = pthread.Go(func() {
		err := mutex.Lock()
		if err == nil && atomic.LoadUint32(word)&tidMask != uint32(unix.Gettid()) {
			err = errors.Join(errors.New("this libc keeps a mutex's owner elsewhere"), mutex.Unlock())
		}
		o.result <- err
		if err == nil {
			<-o.stop
			o.result <- mutex.Unlock()
		}
	})
	err := <-o.result
	if err != nil {
		o.thread.Join()
		return nil, err
	}
	return o, nil
}

// end gives the mutex back.
func (o *owner) end() error {
	if o == nil {
		return nil
	}
	close(o.stop)
	err := <-o.result
	o.thread.Join()
	return err
}

// lifeWord is where the mutex has its owner: the first word, in glibc.
func (w *Writer) lifeWord() *uint32 { return lifeWord(w.memory) }

func lifeWord(memory []byte) *uint32 {
	return (*uint32)(unsafe.Pointer(unsafe.SliceData(memory[mutexAt:])))
}

// mutexKind is where glibc keeps a mutex's kind, which does not change.
const mutexKind = 16

// bury makes sure that nobody owns a mutex, nor will again: ErrInUse if somebody does.
func bury(memory []byte) error {
	// With a damaged mutex libc would do what it likes. Nobody is known to own that.
	fresh := bytesOf(make([]uint64, pthread.MutexSize/wordSize))
	if _, err := pthread.InitMutex(fresh, mutexAttr); err != nil {
		return err
	}
	if !bytes.Equal(fresh[mutexKind:mutexKind+4], memory[mutexKind:mutexKind+4]) {
		return nil
	}
	m, err := pthread.MutexAt(memory)
	if err != nil {
		return err
	}
	switch err := m.LockFor(0); {
	case err == nil: // it was given back
		return m.Unlock()
	case errors.Is(err, unix.EOWNERDEAD):
		return m.Unlock() // without Consistent: it is ENOTRECOVERABLE now
	case errors.Is(err, unix.ENOTRECOVERABLE):
		return nil
	case errors.Is(err, unix.ETIMEDOUT):
		return ErrInUse
	default:
		return err
	}
}

// Life is what became of the server of a cache.
type Life int

const (
	Alive  Life = iota // it runs, or is stopped
	Dead               // it ended without closing the cache, as by kill -9
	Closed             // it has ended, or a new one has come
)

func (l Life) String() string { return [...]string{"alive", "dead", "closed"}[l] }

// lifeOf reads the word of a mutex.
func lifeOf(word uint32) Life {
	switch {
	case word&ownerDied != 0:
		return Dead
	case word&tidMask == 0:
		return Closed
	}
	return Alive
}
