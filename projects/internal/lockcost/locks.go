package lockcost

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/pthread"
	"unpipc/gobind/reclock"
	"unpipc/gobind/sysvsem"
)

func itoa(n int) string { return strconv.Itoa(n) }

// kind is a way to synchronize.
type kind struct {
	// prepare makes the objects, once. May be nil.
	prepare func(r *role, m *memory) error
	// join makes what one worker does n times.
	join func(w *worker) (work, error)
	// clean removes what would outlive the workers. May be nil.
	clean func(m *memory) error
	// turns is true where the workers take turns: n is then what each of them does.
	turns bool
	// alone is true of what lets several in, amongProcesses of what lets all threads in.
	alone, amongProcesses bool
}

type work func(n uint64) error

// worker is one of those that use the lock.
type worker struct {
	*memory
	index int
}

func mutex(attr pthread.MutexAttr) kind {
	return kind{prepare: initMutex(attr), join: func(w *worker) (work, error) {
		m, err := pthread.MutexAt(w.object(0))
		if err != nil {
			return nil, err
		}
		return w.underMutex(m), nil
	}}
}

// fused is the same with the increment in the call.
func fused(attr pthread.MutexAttr) kind {
	return kind{prepare: initMutex(attr), join: func(w *worker) (work, error) {
		m, err := pthread.MutexAt(w.object(0))
		if err != nil {
			return nil, err
		}
		return w.fused(m), nil
	}}
}

func initMutex(attr pthread.MutexAttr) func(r *role, m *memory) error {
	return func(r *role, m *memory) error {
		attr.Shared = r.processes
		_, err := pthread.InitMutex(m.object(0), attr)
		return err
	}
}

// rwlock is one of the two ways to hold it.
func rwlock(alone bool, under func(w *worker, l *pthread.RWLock) work) kind {
	return kind{
		alone: alone,
		prepare: func(r *role, m *memory) error {
			_, err := pthread.InitRWLock(m.object(0), pthread.RWLockAttr{Shared: r.processes})
			return err
		},
		join: func(w *worker) (work, error) {
			l, err := pthread.RWLockAt(w.object(0))
			if err != nil {
				return nil, err
			}
			return under(w, l), nil
		},
	}
}

var spin = kind{
	prepare: func(r *role, m *memory) error {
		_, err := pthread.InitSpin(m.object(0), r.processes)
		return err
	},
	join: func(w *worker) (work, error) {
		s, err := pthread.SpinAt(w.object(0))
		if err != nil {
			return nil, err
		}
		return w.underSpin(s), nil
	},
}

var sem = kind{
	prepare: func(_ *role, m *memory) error {
		_, err := posixsem.Init(m.object(0), 1)
		return err
	},
	join: func(w *worker) (work, error) {
		s, err := posixsem.At(w.object(0))
		return w.underSem(s), err
	},
}

// semNamed has a name, which tells who made it: leftovers.go.
var semNamed = kind{
	prepare: func(_ *role, m *memory) error {
		s, err := posixsem.Open(semName(int(m.maker)), unix.O_CREAT|unix.O_EXCL, 0o600, 1)
		if err != nil {
			return err
		}
		return s.Close()
	},
	clean: func(m *memory) error { return posixsem.Unlink(semName(int(m.maker))) },
	join: func(w *worker) (work, error) { // it is closed by the process's end
		s, err := posixsem.Open(semName(int(w.maker)), 0, 0, 0)
		return w.underSem(s), err
	},
}

// establish makes the System V semaphores, with these values.
func establish(m *memory, values ...int) error {
	set, made, err := sysvsem.Establish(context.Background(), setKey(os.Getpid()), 0o600, values...)
	if err == nil && !made {
		err = fmt.Errorf("the semaphores of key %s are there already", setKey(os.Getpid()))
	}
	if err == nil {
		m.set = int32(set.ID())
	}
	return err
}

func removeSet(m *memory) error { return sysvsem.Open(int(m.set)).Remove() }

func semop(flags int16) kind {
	return kind{
		clean:   removeSet,
		prepare: func(_ *role, m *memory) error { return establish(m, 1) },
		join: func(w *worker) (work, error) {
			set := sysvsem.Open(int(w.set))
			return w.increments(
				func() error { return set.Do(sysvsem.Op{Add: -1, Flags: flags}) },
				func() error { return set.Do(sysvsem.Op{Add: 1, Flags: flags}) }), nil
		},
	}
}

func recordLock(owner reclock.Owner) kind {
	return kind{amongProcesses: owner == reclock.Process, join: func(w *worker) (work, error) {
		fd, err := w.file.Fd(), error(nil)
		if owner == reclock.Description {
			fd, err = w.again()
		}
		if err != nil {
			return nil, err
		}
		first := reclock.Bytes(0, 1)
		return w.increments(
			func() error { return owner.Lock(fd, reclock.Write, first) },
			func() error { return owner.Unlock(fd, first) }), nil
	}}
}

// inGoOnly is the lock of Go's own library, for threads.
var inGoOnly sync.Mutex

var syncMutex = kind{join: func(w *worker) (work, error) { return w.underSyncMutex, nil }}

// kinds are all there are, by the name that --lock has.
var kinds = map[string]kind{
	"mutex":              mutex(pthread.MutexAttr{}),
	"mutex_libc":         mutex(pthread.MutexAttr{}),
	"mutex_fused":        fused(pthread.MutexAttr{}),
	"mutex_errorcheck":   mutex(pthread.MutexAttr{Kind: pthread.ErrorCheck}),
	"mutex_recursive":    mutex(pthread.MutexAttr{Kind: pthread.Recursive}),
	"mutex_robust":       mutex(pthread.MutexAttr{Robust: true}),
	"mutex_robust_fused": fused(pthread.MutexAttr{Robust: true}),
	"sync_mutex":         syncMutex,
	"rwlock_read":        rwlock(true, (*worker).underReading),
	"rwlock_write":       rwlock(false, (*worker).underWriting),
	"spin":               spin,
	"sem":                sem,
	"sem_libc":           sem,
	"sem_named":          semNamed,
	"semop":              semop(0),
	"semop_undo":         semop(sysvsem.Undo),
	"reclock":            recordLock(reclock.Process),
	"reclock_ofd":        recordLock(reclock.Description),
	"cond_turns":         condTurns,
	"barrier_turns":      barrierTurns,
	"sem_turns":          semTurns,
	"semop_turns":        semopTurns,
}
