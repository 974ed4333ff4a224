// Package stress runs mechanisms under load, by several processes some of which are
// killed, stopped and interrupted, and verifies what must hold all the same.
//
// A [Scenario] is one mechanism. It runs in rounds. In a round its workers, processes of
// their own, do a fixed number of operations each; the process that started them brings
// the faults upon them, puts another worker in the place of one that was killed, and
// verifies in the end. What a worker was doing when it was killed stands in memory that
// all of them share, and so does what it had done: the operation that it had begun and not
// finished is in doubt, all others are not.
//
//	suite ──┬── starts, kills, stops, signals ──► worker 0, 1, …
//	        └── reads ──► page: begun, done, seen ◄── write
//
// # Seeds
//
// The seed of a round fixes its plan: which worker is killed, in which of its operations
// and at which point of it; which one is stopped or signalled, after which of its
// operations, for how long by what the others do and how often; the sizes, types and
// priorities of all messages, and every other choice of the scenario. The next round's
// seed follows from this one's, so a failed round is replayed alone by its own seed.
//
// A death that is planned for a point (before an operation, in its middle, after it) is
// the worker's own kill(2) of itself, and so comes at the same place each time. A death
// from outside and a stop are the other process's, sent when it reads that the worker has
// begun the operation: they come a little later in it, or in a following one.
//
// A seed does not fix the scheduling: which of two workers is first, how full a queue is
// when it is looked at, where between two instructions a signal from outside comes. A
// failure that hangs on such things may need several replays.
//
// # Sabotage
//
// Each scenario can be run with one thing done wrong, at an operation that the seed
// chooses. It must then fail; a test sees to that.
//
// # Caveats
//
// What the kernel has taken is there after kill -9: that nothing is lost when the power
// fails is not tested here, but by the exercises 9 and 14 themselves.
package stress
