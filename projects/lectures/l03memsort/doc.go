// Package l03memsort is the third program of the lecture: a process for each file sorts it,
// and its numbers come through 64 KB of memory that it shares with its parent.
//
//	byte  0            is readable: the worker sets it, the parent clears it
//	      1            is writable: the parent sets it, the worker clears it
//	      2 to 65535   a part of what is sent: of the count, an int, or of the numbers
//
// One of the two flags is set at a time, and says whose turn it is; so the bytes between
// them need no lock. Each side stores its own flag's 0 before the other's 1, with release
// order behind the bytes it has copied, and loads with acquire order before it copies.
//
// The memory is anonymous: a memfd that only the worker inherits, as descriptor 3. In C,
// where a worker is forked, it is mapped with MAP_ANONYMOUS, as the lecture has it.
//
// Flags wake nobody, so both sides look again and again: at first without a break, then
// giving the processor away, then asleep for up to a millisecond. A side that has waited
// for some time also asks whether there is still another one.
package l03memsort
