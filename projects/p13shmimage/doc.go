// Package p13shmimage is exercise 13: filters over an image that several processes share
// in one System V segment.
//
// # The segment
//
// The master makes it with IPC_PRIVATE, attaches it and removes it at once: it lives on
// until the last process has detached it, and no crash can leave it behind. Workers attach
// it by its identifier. Behind a header of [header] and one [slot] for each worker it holds
//
//	source   the picture's rows, samples as in the file, 16-bit ones in native order
//	result   the filtered rows, in the same form
//
// When all rows are filtered nobody needs the source any more, and the strips of the
// compressed output take its place.
//
// # Why every number of workers gives the same bytes
//
// A worker reads the source, also above and below its band (the halo), and writes the
// rows of its band of the result. No value that one process writes is read by another
// before that has ended, so there is nothing to lock. All sums have one order, which
// depends on the pixel only, and every product is rounded: whatever a row's worker, band
// or vector unit, its bytes are the same. So a worker that died is replaced by one that
// does the band again.
//
// # Arithmetic
//
// Sums are made by [unpipc/projects/p13shmimage/taps]. A blur of an opaque 8-bit picture
// has 15-bit values, of which 7 are binary places, first along rows, then along columns;
// all else has real numbers, colours multiplied by their alpha. What is outside the
// picture is as the nearest pixel in it.
package p13shmimage
