// Package integers reads, sorts, merges and writes the numbers of the lecture's three
// sorting programs: C's int, 32 bits with a sign. ref/integers.h has the same for C, as
// plain as the lecture has it.
//
// # The text
//
// A file is what fscanf("%d") reads until its end: decimal numbers, each with a sign or
// without, with white space between them. A number ends where its digits end, so that
// 1-2 are two. Anything else, and a number that 32 bits do not hold, is an [*Error] that
// names the file and the line.
//
// # What makes it fast
//
// Digits are found and added up eight at a time, without a branch on what a number is: sign
// and length cannot be predicted. Numbers are sorted in three passes by 11 of their bits
// (radix sort), without comparing any. What is sorted is merged in pieces: the range of the
// keys is cut into thousands of parts, the place of each in the result is known beforehand,
// and so all processors merge at once, each within its own cache. The text is written from
// the merged pieces in the same way; neighbours in sorted order share all but their last
// four digits, so the others are converted once. Memory for many numbers is asked for in
// huge pages, since each small one costs a fault when it is first touched.
//
// # Memory
//
// Four bytes a number for those of each file and four for the result; while a file is
// sorted, four more for each of its numbers. The text is never in memory as a whole.
package integers
