// Package p11barrier is a barrier for processes, of System V semaphores: UNPv2 11. It
// can be used again and again, and the kernel itself tells its members when one of them
// has died.
//
// # The ring
//
// A barrier that is used again has to keep those who already wait for the next round
// from those who have not yet left this one. Three semaphores do, in turn: semaphore
// round mod 3 has as many units as processes are missing in the round. To arrive moves
// one unit to the next semaphore, in one operation; to wait is to wait for 0:
//
//	                          this one   next   the one before
//	before round 1, of 4          4        0        0
//	one has arrived               3        1        0
//	all have: whoever waits       0        4        0
//	 for 0 goes on
//	one is at round 2 already     0        3        1
//
// The last of a round fills the next semaphore with the same operation by which it
// empties this one. Nobody has to be last, or to know it. And a semaphore at 0 stays so
// until somebody arrives in the round after the next, which is when everybody has left:
// no wake-up is missed by one who is slow to wait.
//
// # The dead man's switch
//
// With SEM_UNDO the kernel takes back what a process has done to a semaphore, however
// the process ends, and stops at 0. To join, a process adds 16384 to each semaphore of
// the ring with SEM_UNDO and subtracts it without, in one operation: nothing changes
// now, and when the process ends the kernel subtracts 16384 from each, which leaves 0.
// Everybody wakes. In the same way it leaves 1 in the semaphore "broken". Who waits does
// so by one operation of two parts:
//
//	wait for 0 at the ring             sleeps until then
//	test for 0 at broken, IPC_NOWAIT   EAGAIN if it is not
//
// The operation succeeds when all have arrived, and fails at once when one has died. No
// process watches, nothing is asked again and again, and no signal is needed. To leave in
// good order cancels what was prepared.
//
// A second ring, "missing", has the same numbers and no switch. Who gets EAGAIN looks
// there whether all had arrived: then the round is passed, by everybody, and it is the
// next one that is broken, for everybody.
//
// # Mending
//
// With --respawn those who get EAGAIN take themselves from the semaphore "active" and
// wait for 0 at "broken". When active is 0 all who live have stopped: the process that
// started them makes both rings whole again for the same round, in one operation that
// fails if anything has changed meanwhile (each value that was read is subtracted and
// compared with 0).
//
// # What is proved
//
// The processes share memory beside the semaphores. Each writes there which round it has
// reached before it arrives, and reads, after it has passed, that all others have
// reached it too. PASS says that every process did so in every round.
//
// # Caveats
//
// The barrier breaks for the death of any member, also of one that had arrived. One who
// is stopped or in an endless loop is not dead. A process can be a member once. With
// SETVAL or SETALL, or ipcrm, anybody with permission ends it all.
package p11barrier
