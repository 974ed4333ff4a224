package p11barrier

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
	"unpipc/gobind/pthread"
)

// board is memory that all processes of a run share: what is to be done, and how far
// each process is. It does not synchronize them: it is what proves that the barrier
// does.
type board struct {
	memory []byte
	name   string
}

// Where things are on the board: numbers of 32 bits, but for the times.
const (
	boardMagic = iota * 4 // "BAR1"
	boardProcesses
	boardIterations
	boardRespawn // 1: a broken barrier is mended
	boardKind    // of barrier
	boardWork    // microseconds before each barrier, at most
	boardRound   // to begin with
	boardNext    // index of the next one from outside

	boardElapsed = 32 // nanoseconds of the rounds that process 1 has timed
	boardTimed   = 40 // how many they were
	boardBarrier = 64 // pthread_barrier_t
	boardReached = 128
)

const magic = 0x31524142

func (b *board) number(offset int) *int32 { return (*int32)(unsafe.Pointer(&b.memory[offset])) }
func (b *board) time(offset int) *int64   { return (*int64)(unsafe.Pointer(&b.memory[offset])) }
func (b *board) get(offset int) int       { return int(atomic.LoadInt32(b.number(offset))) }
func (b *board) set(offset, n int)        { atomic.StoreInt32(b.number(offset), int32(n)) }

// reached is where the last round is that a process, from 1 on, has arrived at; passed
// the last one that it has passed, and found everybody else to have reached.
func (b *board) reached(index int) int { return boardReached + 4*(index-1) }
func (b *board) passed(index int) int {
	return boardReached + 4*b.get(boardProcesses) + 4*(index-1)
}

func boardSize(processes int) int { return boardReached + 8*processes }

const boardPattern = "/dev/shm/unpipc-*-barrier-%d"

// createBoard makes the board of the set with this identifier.
func createBoard(semid, processes int) (*board, error) {
	name := fmt.Sprintf("/unpipc-%d-barrier-%d", unix.Getpid(), semid)
	o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	b := &board{name: name}
	if err = o.Allocate(boardSize(processes)); err == nil {
		b.memory, err = o.Map(boardSize(processes), true)
	}
	if err == nil {
		b.set(boardProcesses, processes)
		_, err = pthread.InitBarrier(b.memory[boardBarrier:], processes, true)
	}
	if err != nil {
		return nil, errors.Join(err, posixshm.Unlink(name))
	}
	return b, nil
}

// openBoard finds the board of a set.
func openBoard(semid int) (*board, error) {
	files, err := filepath.Glob(fmt.Sprintf(boardPattern, semid))
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("semaphore set (semid %d): no barrier_test has them", semid)
	}
	name := "/" + filepath.Base(files[0])
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	size, err := o.Size()
	if err != nil {
		return nil, err
	}
	if size < boardSize(1) {
		return nil, fmt.Errorf("%s: not a board of barrier_test", files[0])
	}
	b := &board{name: name}
	if b.memory, err = o.Map(size, true); err != nil {
		return nil, err
	}
	if b.get(boardMagic) != magic || size != boardSize(b.get(boardProcesses)) {
		return nil, errors.Join(fmt.Errorf("%s: not a board of barrier_test", files[0]), b.close())
	}
	return b, nil
}

func (b *board) close() error { return posixshm.Unmap(b.memory) }

// remove is close and the end of the name.
func (b *board) remove() error { return errors.Join(b.close(), posixshm.Unlink(b.name)) }

// removeBoard removes what a dead process has left of a set's board.
func removeBoard(semid int) error {
	files, err := filepath.Glob(fmt.Sprintf(boardPattern, semid))
	for _, file := range files {
		err = errors.Join(err, posixshm.Unlink("/"+filepath.Base(file)))
	}
	return err
}
