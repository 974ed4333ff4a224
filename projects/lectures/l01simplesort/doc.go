// Package l01simplesort is the first program of the lecture: the integers of each file are
// sorted by one process, file after file. It is what the processes of the next two programs
// are measured against.
package l01simplesort
