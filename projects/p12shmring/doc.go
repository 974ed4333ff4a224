// Package p12shmring is a ring of bytes in POSIX shared memory: messages of any size
// from one process to another, written and read in place, without a system call while
// both sides run. A side that has nothing to do sleeps, and is woken.
//
//	   0  magic, version, capacity, where the parts are
//	 128  tail: bytes ever written    the producer's
//	 256  head: bytes ever given back the consumer's
//	 384  1 while the consumer sleeps
//	 512  1 while the producer sleeps
//	 640  1 when the producer has closed the ring; 644: the consumer
//	1024  the bytes: position p is at p mod capacity, a power of two
//
// A message is a record: its length (32 bits), a mark (32 bits), the bytes, and what
// fills them up to a multiple of 8. A record lies in one piece, so that it can be used
// in place; where it would go round the end, a record that says "skip" fills the rest.
// So the largest message is a little less than half the capacity: see [Ring.Largest].
//
//	p := ring.Producer()
//	room, err := p.Reserve(100) // sleeps while there is none
//	n := copy(room, "hello")    // or read(2) into it
//	err = p.Commit(n)
//
//	c := ring.Consumer()
//	m, err := c.Next() // io.EOF after the producer's Close
//	use(m)
//	c.Release() // all that Next has returned
//
// # Sleeping
//
// A side that waits tries for a moment, then says in its word that it sleeps, looks once
// more, and sleeps on that word by futex(2). Whoever publishes looks at the other side's
// word afterwards. Both sides write and then read, so both need a full fence between
// the two, which Go's atomic.Store is; it is paid once a publication, and
// [Producer.Batch] makes those rare. model_test.go shows what is lost without.
//
// # Errors
//
// io.EOF, [ErrClosed], [ErrCorrupt], [ErrTooLong], and whatever Check returns, which a
// side calls every [Patience] while it sleeps: that is how the death of the other side
// is noticed.
//
// # Caveats
//
//   - One producer and one consumer. Between processes, package seats sees to that.
//   - What Next returned is the ring's until Release, and is overwritten after that.
//   - The other process can write into what is being read. Who does not trust it must
//     copy a message before judging it.
package p12shmring
