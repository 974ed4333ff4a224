package p11barrier

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvsem"
)

func newBarrier(t *testing.T, processes int) *Barrier {
	t.Helper()
	b, err := Create(sysvsem.Private, processes, func(*sysvsem.Set) error { return nil })
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, b.Remove()) })
	return b
}

func values(t *testing.T, b *Barrier) []int {
	t.Helper()
	v, err := b.set.Values()
	require.NoError(t, err)
	return v
}

// A member that does what it reads, one word a line, and says what came of it.
var _ = ipctest.Role("member", func(args []string) int {
	id, _ := strconv.Atoi(args[0])
	m, err := Join(context.Background(), sysvsem.Open(id))
	fmt.Println(err)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var what string
		var round int
		fmt.Sscan(in.Text(), &what, &round)
		switch what {
		case "wait":
			err = m.Wait(round)
		case "settle":
			err = m.Settle()
		case "leave":
			err = m.Leave()
		}
		fmt.Println(err)
	}
	return 0
})

type member struct {
	t   *testing.T
	cmd *exec.Cmd
	in  interface {
		Write([]byte) (int, error)
		Close() error
	}
	out *bufio.Scanner
}

func newMember(t *testing.T, b *Barrier) *member {
	t.Helper()
	m := &member{t: t, cmd: ipctest.Command(t, "member", strconv.Itoa(b.set.ID()))}
	in, err := m.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := m.cmd.StdoutPipe()
	require.NoError(t, err)
	m.in, m.out = in, bufio.NewScanner(out)
	require.NoError(t, m.cmd.Start())
	t.Cleanup(func() { m.in.Close(); _ = m.cmd.Wait() })
	return m
}

func (m *member) tell(what string) {
	m.t.Helper()
	_, err := fmt.Fprintln(m.in, what)
	require.NoError(m.t, err)
}

func (m *member) says(want string) {
	m.t.Helper()
	require.True(m.t, m.out.Scan())
	require.Equal(m.t, want, m.out.Text())
}

func (m *member) kill() {
	m.t.Helper()
	require.NoError(m.t, m.cmd.Process.Kill())
	require.Error(m.t, m.cmd.Wait())
}

// sleeping waits until so many sleep for 0 at the ring.
func sleeping(t *testing.T, b *Barrier, round, n int) {
	t.Helper()
	ipctest.Eventually(t, func() bool {
		waiting, err := b.set.WaitingForZero(int(turn(ring, round)))
		return err == nil && waiting == n
	}, "they wait at the ring")
}

const (
	none     = "<nil>"
	isBroken = "broken barrier"
)

func members(t *testing.T, b *Barrier, n int) []*member {
	var all []*member
	for range n {
		m := newMember(t, b)
		m.says(none)
		all = append(all, m)
	}
	return all
}

func TestNobodyPassesBeforeTheLastHasArrived(t *testing.T) {
	b := newBarrier(t, 3)
	all := members(t, b, 3)
	for round := 1; round <= 7; round++ {
		last := round % 3
		for i, m := range all {
			if i != last {
				m.tell(fmt.Sprint("wait ", round))
			}
		}
		sleeping(t, b, round, 2)
		all[last].tell(fmt.Sprint("wait ", round))
		for _, m := range all {
			m.says(none)
		}
	}
	for _, m := range all {
		m.tell("leave")
		m.says(none)
	}
	assert.NoError(t, b.Left(t.Context()))
	assert.NoError(t, b.Clean())
}

func TestOnlySoManyCanJoin(t *testing.T) {
	b := newBarrier(t, 2)
	all := members(t, b, 2)
	third := newMember(t, b)
	third.says(ErrFull.Error())
	all[0].tell("leave")
	all[0].says(none)
	newMember(t, b).says(none)
}

func TestTheDeathOfAMemberWakesAllWhoWait(t *testing.T) {
	b := newBarrier(t, 4)
	all := members(t, b, 4)
	for _, m := range all[:2] {
		m.tell("wait 1")
	}
	sleeping(t, b, 1, 2)
	all[2].kill()
	for _, m := range all[:2] {
		m.says(isBroken)
	}
	all[3].tell("wait 1")
	all[3].says(isBroken)
	for _, m := range []*member{all[0], all[1], all[3]} {
		m.tell("leave")
		m.says(none)
	}
	assert.NoError(t, b.Left(t.Context()), "the killed one has left, too")
	assert.NoError(t, b.Clean())
}

func TestTheDeathOfOneWhoHadArrivedBreaksIt(t *testing.T) {
	b := newBarrier(t, 3)
	all := members(t, b, 3)
	all[0].tell("wait 1")
	all[1].tell("wait 1")
	sleeping(t, b, 1, 2)
	all[0].kill()
	all[1].says(isBroken)
}

// The last one passes and dies while another one, who has arrived, is stopped before it
// waits: for that one the round is over, too, and the next one is broken.
func TestARoundThatIsCompleteIsPassedByAll(t *testing.T) {
	b := newBarrier(t, 2)
	slow, last := newMember(t, b), newMember(t, b)
	slow.says(none)
	last.says(none)
	// The first half of a Wait, for the slow one.
	require.NoError(t, b.set.Do(take(turn(ring, 1), 1), add(turn(ring, 2), 1), take(turn(missing, 1), 1), add(turn(missing, 2), 1)))
	last.tell("wait 1")
	last.says(none)
	last.kill()
	set := &Member{b.set}
	assert.ErrorIs(t, b.set.Do(sysvsem.Op{Sem: turn(ring, 1)}, isZero(broken)), unix.EAGAIN)
	assert.NoError(t, b.set.Do(isZero(turn(missing, 1))), "all had arrived")
	assert.ErrorIs(t, set.Wait(2), ErrBroken)
	slow.tell("wait 2")
	slow.says(isBroken)
}

func TestTheDeathOfTheOwnerBreaksIt(t *testing.T) {
	cmd := ipctest.Command(t, "owner")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var id int
	_, err = fmt.Fscan(out, &id)
	require.NoError(t, err)
	b := &Barrier{sysvsem.Open(id), 3}
	defer func() { assert.NoError(t, b.Remove()) }()
	all := members(t, b, 2)
	all[0].tell("wait 1")
	sleeping(t, b, 1, 1)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	all[0].says(isBroken)
	all[0].tell("settle")
	all[0].says(ErrAbandoned.Error())
}

var _ = ipctest.Role("owner", func([]string) int {
	b, err := Create(sysvsem.Private, 3, func(*sysvsem.Set) error { return nil })
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(b.set.ID())
	unix.Read(0, make([]byte, 1))
	return 0
})

func TestABrokenBarrierIsMendedForTheSameRound(t *testing.T) {
	b := newBarrier(t, 3)
	all := members(t, b, 3)
	for _, m := range all {
		m.tell("wait 1")
	}
	for _, m := range all {
		m.says(none)
	}
	all[0].tell("wait 2")
	sleeping(t, b, 2, 1)
	all[2].kill()
	all[0].says(isBroken)
	all[0].tell("settle")
	mended := make(chan error, 1)
	go func() { mended <- b.Mend(t.Context(), func() int { return 2 }) }()
	ipctest.Eventually(t, func() bool {
		n, err := b.set.WaitingForZero(active)
		return err == nil && n == 1
	}, "it waits for the one who is not at the barrier yet")
	assert.Empty(t, mended)
	all[1].tell("wait 2")
	all[1].says(isBroken)
	all[1].tell("settle")
	require.NoError(t, <-mended)
	all[0].says(none)
	all[1].says(none)
	all[2] = newMember(t, b)
	all[2].says(none)
	for round := 2; round <= 5; round++ {
		for _, m := range all {
			m.tell(fmt.Sprint("wait ", round))
		}
		for _, m := range all {
			m.says(none)
		}
	}
	for _, m := range all {
		m.tell("leave")
		m.says(none)
	}
	assert.NoError(t, b.Left(t.Context()))
	assert.NoError(t, b.Clean())
	assert.NoError(t, b.Mend(t.Context(), nil), "nothing is broken")
}

func TestAllButOneDieAndAreReplaced(t *testing.T) {
	b := newBarrier(t, 4)
	all := members(t, b, 4)
	all[0].tell("wait 1")
	sleeping(t, b, 1, 1)
	for _, m := range all[1:] {
		m.kill()
	}
	all[0].says(isBroken)
	all[0].tell("settle")
	require.NoError(t, b.Mend(t.Context(), func() int { return 1 }))
	all[0].says(none)
	copy(all[1:], members(t, b, 3))
	for _, m := range all {
		m.tell("wait 1")
	}
	for _, m := range all {
		m.says(none)
	}
}

func TestTheOwnerBreaksItForOneWhoWillNotCome(t *testing.T) {
	b := newBarrier(t, 2)
	m := newMember(t, b)
	m.says(none)
	m.tell("wait 1")
	sleeping(t, b, 1, 1)
	require.NoError(t, b.Break())
	m.says(isBroken)
	require.NoError(t, b.Break(), "it is broken already")
	assert.Equal(t, 1, values(t, b)[broken])
}

func TestWhatIsLeftBehindIsSeen(t *testing.T) {
	b := newBarrier(t, 3)
	require.NoError(t, b.Clean())
	for sem := range semaphores {
		require.NoError(t, b.set.Do(add(uint16(sem), 1)))
		assert.ErrorContains(t, b.Clean(), "was left as", "semaphore %d", sem)
		require.NoError(t, b.set.Do(take(uint16(sem), 1)))
	}
	require.NoError(t, b.Clean())
}

func TestTheSetOfADeadOwnerIsReplacedAndOneOfALivingIsNot(t *testing.T) {
	key := sysvsem.Key(0x77000000 | os.Getpid()&0xffff)
	nothing := func(*sysvsem.Set) error { return nil }
	b, err := Create(key, 2, nothing)
	require.NoError(t, err)
	_, err = Create(key, 2, nothing)
	assert.ErrorContains(t, err, fmt.Sprintf("the barrier of process %d", os.Getpid()))
	// As the kernel does it when this process ends.
	require.NoError(t, b.set.Do(undo(take(owner, 1))))
	next, err := Create(key, 2, nothing)
	require.NoError(t, err)
	assert.NotEqual(t, b.set.ID(), next.set.ID())
	require.NoError(t, next.Remove())

	foreign, err := sysvsem.Get(key, 3, sysvsem.Create|sysvsem.Excl|0o600)
	require.NoError(t, err)
	_, err = Create(key, 2, nothing)
	assert.ErrorContains(t, err, "not a barrier's")
	require.NoError(t, foreign.Remove())
}
