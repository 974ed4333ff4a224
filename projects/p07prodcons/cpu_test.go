package p07prodcons

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

// threads are those of this process that are kept to a CPU under SCHED_BATCH, and the others,
// with the CPUs on which each may be.
func threads(t *testing.T) (kept, others []unix.CPUSet) {
	entries, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	for _, e := range entries {
		tid, err := strconv.Atoi(e.Name())
		require.NoError(t, err)
		var cpus unix.CPUSet
		attr, err := unix.SchedGetAttr(tid, 0)
		if err == nil {
			err = unix.SchedGetaffinity(tid, &cpus)
		}
		switch {
		case err == unix.ESRCH: // it has ended meanwhile
		case err != nil:
			require.NoError(t, err)
		case attr.Policy == unix.SCHED_BATCH && cpus.Count() == 1:
			kept = append(kept, cpus)
		default:
			others = append(others, cpus)
		}
	}
	return kept, others
}

func TestOnlyTheMembersThreadsAreKeptToOneCPU(t *testing.T) {
	before, allowed := threads(t)
	require.Empty(t, before)
	interrupted := errors.New("the test has seen enough")
	ctx, stop := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Count: [2]int{3, 2}, Capacity: 10, Items: 80e6, Turn: 1, Quiet: true, OneCPU: true}, io.Discard)
	}()
	ipctest.Eventually(t, func() bool { kept, _ := threads(t); return len(kept) >= 5 }, "five members on a CPU")

	// Each of these takes a thread from the runtime, which starts new ones while members run.
	var sleeping sync.WaitGroup
	var read, write [30]int
	for i := range read {
		var ends [2]int
		require.NoError(t, unix.Pipe2(ends[:], unix.O_CLOEXEC))
		read[i], write[i] = ends[0], ends[1]
		sleeping.Go(func() { _, _ = unix.Read(read[i], make([]byte, 1)) })
	}
	ipctest.Eventually(t, func() bool { _, others := threads(t); return len(others) >= len(read) }, "a thread for each read")
	kept, others := threads(t)
	for i := range read {
		_ = unix.Close(write[i])
	}
	sleeping.Wait()
	stop(interrupted)
	assert.ErrorIs(t, <-ended, interrupted)
	for i := range read {
		_ = unix.Close(read[i])
	}

	assert.Len(t, kept, 5, "the members, and no thread that was started from theirs")
	for _, cpus := range kept {
		assert.Equal(t, kept[0], cpus, "they are together")
	}
	for _, cpus := range others {
		assert.Equal(t, allowed[0], cpus, "the runtime's threads and the owner's are free")
	}
	ipctest.Eventually(t, func() bool { kept, _ := threads(t); return len(kept) == 0 }, "members' threads end with them")
}

func TestAMemberThatCannotBeOnItsCPUEndsTheRunWithTheNameOfTheCall(t *testing.T) {
	m := newMonitor(t, 1, 100, Producer, Consumer)
	m.cpu = 1 << 20 // more than the kernel knows
	m.unlock()
	pthread.Go(func() { m.takePart(0, true) }).Join()
	m.lock()
	assert.Equal(t, died, m.stop)
	assert.ErrorContains(t, m.failed, "CPU 1048576: sched_setaffinity: invalid argument")
	assert.Zero(t, m.produced)
	assert.EqualValues(t, 1, m.present, "it has left")
}
