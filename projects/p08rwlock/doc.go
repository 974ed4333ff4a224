// Package p08rwlock is a read-write lock made of one mutex and condition variables, with
// three policies: UNPv2 8, which makes one that prefers writers.
//
//	            ┌ mutex ────────────────────────────────┐
//	RLock ────► │ readers 2   writer 0                  │
//	Lock  ────► │ waiting     readers 0   writers 1     │
//	            │ queue       ┌───┐   ┌───┐   ┌───┐     │
//	            │ (fair)      │ W │ ─ │ R │ ─ │ R │     │
//	            └─────────────┴───┴───┴───┴───┴───┴─────┘
//	readable ○   writable ○     turn ○      ○      ○
//
// The mutex is held only to look at the counts and to change them, never while the lock
// is held. Who may not have the lock sleeps at a condition variable, which gives the
// mutex back, and looks again when woken.
//
// # The policies
//
// [PreferReader] and [PreferWriter] need two counts and two condition variables: one
// kind is kept out while the other one waits, and whoever leaves wakes all readers or
// one writer. [Fair] has a queue. Its places are in the lock's own memory, linked by
// their numbers, so that it works between processes; who leaves the lock gives it to
// the first in the queue, or to the first readers, before they wake up. So nobody comes
// between, few wake up for nothing, and one who gives up takes himself out of the middle.
//
// # Memory and processes
//
// [Init] makes a lock in memory of the caller's, [At] finds it there. The layout is that
// of struct myrwlock in ref/layout.h; programs in C and in Go use one lock.
//
// # Caveats
//
//   - A lock has no owner. What a killed process holds stays held, and the place of a
//     killed process in the queue is given the lock all the same. Only one that dies
//     inside this package is noticed, between processes: all calls then fail with
//     ENOTRECOVERABLE.
//   - One who holds the lock for reading and asks for it again waits for himself, if a
//     writer has come between and the policy is not PreferReader.
//   - No more than 1024 can wait at a fair lock: EAGAIN. So says POSIX of too many readers.
//   - The limits of the timed forms are for the lock; the mutex is waited for in any case.
//
// [FutexRWLock] is another lock, with a word for each reader, that shows what is possible
// without a mutex and condition variables.
package p08rwlock
