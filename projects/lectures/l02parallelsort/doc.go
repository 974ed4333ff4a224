// Package l02parallelsort is the second program of the lecture: a process for each file
// sorts it, and its numbers come through a pipe.
//
//	parent ──starts──► worker 0: reads and sorts a file
//	       ◄──pipe───  count, numbers
//	       ──starts──► worker 1: …
//
// The count is an int and comes first, so that the parent can make room for all numbers
// before it reads them. Numbers are int as this machine has them; the pipe's end is the
// worker's descriptor 3 ([LinkFD]), so that a worker may be a C program and its parent
// none, or the other way round.
//
// A worker that ends before it has sent everything ends the parent, which says why; the
// end of the parent is that of its workers, whatever ended it.
package l02parallelsort
