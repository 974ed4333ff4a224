// Package shortlived is imported by programs that end after a millisecond or two, for
// its effect alone: all threads of the process share one arena of malloc(3).
//
// glibc gives each thread that comes to malloc or free an arena of its own while there
// are fewer of them than eight a processor: 64 MiB or 128 MiB of reserved addresses,
// three or four system calls and the first faults in it. Every thread that the Go
// runtime starts in a program with cgo comes there at once, for it frees the arguments
// that it was started with, and has no other use for the arena.
//
// A program whose threads call malloc often, for more than their caches of small blocks
// have, would wait for one another instead: it is not to import this package.
package shortlived

import _ "unpipc/csrc/process/shortlived" // its constructor
