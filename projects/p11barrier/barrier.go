package p11barrier

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvsem"
)

// The semaphores of a set, see the package's introduction.
const (
	ring       = 0 // and 1 and 2: who waits sleeps here, for 0
	missing    = 3 // and 4 and 5: the same numbers, which a death leaves as they are
	broken     = 6 // processes that died, 0 while the barrier is whole
	places     = 7 // members that may still join
	active     = 8 // members that have not stopped for a repair
	owner      = 9 // 1 while the process that made the set lives
	semaphores = 10
)

// lift is more than a semaphore of the ring ever holds, so that taking it back from one
// leaves 0; and with it on top, the greatest value that a semaphore can have is kept.
const lift = 16384

// MaxProcesses is how many a barrier can be for.
const MaxProcesses = math.MaxInt16 - lift

// ErrBroken is the error of those who wait for a process that has died.
var ErrBroken = errors.New("broken barrier")

// ErrFull is the error of one who joins when all have.
var ErrFull = errors.New("all processes of the barrier have joined")

// ErrAbandoned is the error of those who wait for a repair by a process that has died.
var ErrAbandoned = errors.New("broken barrier, and the process that made it has died")

// Barrier is a barrier in the process that made it, which is not one of its members.
type Barrier struct {
	set       *sysvsem.Set
	processes int
}

func take(sem uint16, n int) sysvsem.Op {
	return sysvsem.Op{Sem: sem, Add: int16(-n), Flags: sysvsem.NoWait}
}

func undo(op sysvsem.Op) sysvsem.Op { op.Flags |= sysvsem.Undo; return op }

func add(sem uint16, n int) sysvsem.Op { return sysvsem.Op{Sem: sem, Add: int16(n)} }

func isZero(sem uint16) sysvsem.Op { return sysvsem.Op{Sem: sem, Flags: sysvsem.NoWait} }

// turn is the semaphore of three whose turn it is in a round.
func turn(of, round int) uint16 { return uint16(of + round%3) }

// arm changes no value now and leaves it to the kernel to break the barrier when this
// process ends: what was added with Undo and taken without is taken once more, down to
// 0, where everybody wakes; what was taken with Undo is added.
func arm() []sysvsem.Op {
	ops := []sysvsem.Op{add(broken, 1), undo(take(broken, 1))}
	for sem := range uint16(3) {
		ops = append(ops, undo(add(ring+sem, lift)), take(ring+sem, lift))
	}
	return ops
}

// disarm takes back what arm has prepared.
func disarm() []sysvsem.Op {
	ops := []sysvsem.Op{undo(add(broken, 1)), take(broken, 1)}
	for sem := range uint16(3) {
		ops = append(ops, add(ring+sem, lift), undo(take(ring+sem, lift)))
	}
	return ops
}

// Create makes the barrier of a key, or one that is known by its identifier only
// ([sysvsem.Private]). The set of an owner that has died is removed first, one of a
// living owner is an error, and so is a set that is no barrier. Nobody can join before
// prepare has returned, which is given the new set.
func Create(key sysvsem.Key, processes int, prepare func(*sysvsem.Set) error) (*Barrier, error) {
	for {
		if err := removeDead(key); err != nil {
			return nil, err
		}
		set, err := sysvsem.Get(key, semaphores, sysvsem.Create|sysvsem.Excl|0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		if err := prepare(set); err != nil {
			return nil, errors.Join(err, set.Remove())
		}
		// A new set has values of 0 and gets all others in one operation.
		err = set.Do(append(arm(), undo(add(owner, 1)), add(places, processes),
			add(turn(ring, 1), processes), add(turn(missing, 1), processes))...)
		if !gone(err) {
			return &Barrier{set, processes}, err
		}
		// Another one has taken it for a dead owner's, with what prepare has made.
	}
}

func removeDead(key sysvsem.Key) error {
	if key == sysvsem.Private {
		return nil
	}
	set, err := sysvsem.Get(key, 0, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	st, err := set.Stat()
	if gone(err) {
		return nil
	} else if err != nil {
		return err
	}
	if st.Semaphores != semaphores {
		return fmt.Errorf("semaphore set %s (semid %d): %d semaphores, not a barrier's", key, set.ID(), st.Semaphores)
	}
	err = set.Do(isZero(owner), undo(add(owner, 1)))
	if errors.Is(err, unix.EAGAIN) {
		pid, _ := set.LastPID(owner)
		return fmt.Errorf("semaphore set %s (semid %d): the barrier of process %d", key, set.ID(), pid)
	}
	if err == nil {
		err = errors.Join(set.Remove(), removeBoard(set.ID()))
	}
	if gone(err) {
		return nil
	}
	return err
}

func gone(err error) bool { return errors.Is(err, unix.EIDRM) || errors.Is(err, unix.EINVAL) }

// Break ends everybody's waiting for a member that will never come, as its death would.
func (b *Barrier) Break() error {
	return b.exchange(func(v []int) []sysvsem.Op {
		if v[broken] > 0 {
			return nil
		}
		return append(empty(v, ring), add(broken, 1))
	})
}

// Mend makes a broken barrier whole, for the given round, once every living member has
// stopped for it. If it is not broken, that was done already. round is called when all
// have stopped.
func (b *Barrier) Mend(ctx context.Context, round func() int) error {
	for {
		if n, err := b.set.Value(broken); err != nil || n == 0 {
			return err
		}
		if err := b.set.DoContext(ctx, sysvsem.Op{Sem: active}); err != nil {
			return err
		}
		again := false
		err := b.exchange(func(v []int) []sysvsem.Op {
			if again = v[active] > 0; again || v[broken] == 0 {
				return nil
			}
			r := round()
			ops := append(empty(v, ring), empty(v, missing)...)
			ops = append(ops, isZero(active), take(broken, v[broken]), isZero(broken))
			return append(ops, add(turn(ring, r), b.processes), add(turn(missing, r), b.processes))
		})
		if err != nil || !again {
			return err
		}
	}
}

// empty takes from three semaphores exactly what is there.
func empty(v []int, of int) (ops []sysvsem.Op) {
	for sem := of; sem < of+3; sem++ {
		ops = append(ops, take(uint16(sem), v[sem]), isZero(uint16(sem)))
	}
	return ops
}

// exchange changes values depending on what they are, without anybody's changing them
// meanwhile: the operations hold what was read to be true, and are made from anew if it
// no longer is. None of them may sleep; nil is nothing to do.
func (b *Barrier) exchange(change func(values []int) []sysvsem.Op) error {
	for {
		values, err := b.set.Values()
		if err != nil {
			return err
		}
		ops := change(values)
		if ops == nil {
			return nil
		}
		if err := b.set.Do(ops...); !errors.Is(err, unix.EAGAIN) {
			return err
		}
	}
}

// Left waits until no member is left.
func (b *Barrier) Left(ctx context.Context) error {
	n := int16(b.processes)
	return b.set.DoContext(ctx, sysvsem.Op{Sem: places, Add: -n}, sysvsem.Op{Sem: places, Add: n})
}

// Clean says what members have left behind in the set after [Barrier.Left]: nothing, as
// the kernel undoes it even for those who were killed. A barrier that is broken stays so.
func (b *Barrier) Clean() error {
	v, err := b.set.Values()
	if err != nil {
		return err
	}
	whole := v[broken] == 0 && slices.Equal(v[ring:ring+3], v[missing:missing+3])
	fallen := v[broken] > 0 && v[0] == 0 && v[1] == 0 && v[2] == 0
	if !whole && !fallen || v[3]+v[4]+v[5] != b.processes || v[places] != b.processes || v[active] != 0 || v[owner] != 1 {
		return fmt.Errorf("the set was left as %v", v)
	}
	return nil
}

// Remove removes the set.
func (b *Barrier) Remove() error { return b.set.Remove() }

// Member is a process at a barrier. A process can be only one.
type Member struct{ set *sysvsem.Set }

// Join makes this process a member. Error: [ErrFull].
func Join(ctx context.Context, set *sysvsem.Set) (*Member, error) {
	if err := set.Initialized(ctx); err != nil {
		return nil, err
	}
	err := set.Do(append(arm(), undo(take(places, 1)), undo(add(active, 1)))...)
	if errors.Is(err, unix.EAGAIN) {
		return nil, ErrFull
	} else if err != nil {
		return nil, err
	}
	return &Member{set}, nil
}

// Wait arrives at the barrier of a round and waits for the others. Rounds count from 1
// and are to be taken one after the other. [ErrBroken] is for all or for none of them: a
// round in which all have arrived is passed, though one has died by now.
func (m *Member) Wait(round int) error {
	err := m.set.Do(isZero(broken),
		take(turn(ring, round), 1), add(turn(ring, round+1), 1),
		take(turn(missing, round), 1), add(turn(missing, round+1), 1))
	if err == nil {
		err = m.set.Do(sysvsem.Op{Sem: turn(ring, round)}, isZero(broken))
		if errors.Is(err, unix.EAGAIN) {
			err = m.set.Do(isZero(turn(missing, round)))
		}
	}
	if errors.Is(err, unix.EAGAIN) {
		return ErrBroken
	}
	return err
}

// Settle stops after [ErrBroken] until the barrier is mended. Error: [ErrAbandoned].
func (m *Member) Settle() error {
	if err := m.set.Do(undo(take(active, 1))); err != nil {
		return err
	}
	for {
		err := m.set.DoFor(time.Second, sysvsem.Op{Sem: broken}, undo(add(active, 1)))
		if !errors.Is(err, unix.EAGAIN) {
			return err
		}
		// Nobody who could tell is left if the owner was killed.
		if n, err := m.set.Value(owner); err != nil {
			return err
		} else if n == 0 {
			return ErrAbandoned
		}
	}
}

// Leave ends the membership; the barrier stays whole.
func (m *Member) Leave() error {
	return m.set.Do(append(disarm(), undo(add(places, 1)), undo(take(active, 1)))...)
}
