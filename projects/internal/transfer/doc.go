// Package transfer measures how messages get from one process to another:
// throughput (bw_) and round trips (lat_) of pipes, FIFOs, Unix domain sockets, TCP, message
// queues, and shared memory with semaphores, in Go and in C.
//
// # Processes
//
// Both ends of a variant are in one language and each is a process of its own:
// the running binary started again ([Role]), or bin/ref/transfer from
// ref/transfer.c. They have the same flags and send the same bytes, so a Go end
// also works with a C end. The channel has two directions: two pipes, two FIFOs
// that both processes open by name, one pair of sockets (of TCP: over the loopback interface), two POSIX queues of up to
// ten messages, two types of one System V queue, or two rings of slots in shared
// memory (ring.go has their layout).
//
// Queues and rings are made by whoever starts the two, and removed after the run.
// Nobody who waits at one sees that the other process is gone, so the roles end with
// the process that started them, and what a killed one leaves is in [Leftovers].
//
// # What is sent
//
// A message of 16 bytes or more has its sequence number, from 1, as 64 bits
// little-endian in its first and in its last 8 bytes; a smaller one has the low 8
// bits in its first and in its last byte, which for 1 byte is the same.
//
//	sender                                receiver
//	warm-up: message, CRC-32C of it   →   both compared, for each message
//	                                  ←   one byte: ready; the clock starts
//	message 1, 2, … count             →   sequence numbers compared
//	                                      the clock stops
//	CRC-32C of message count          →   compared
//
// The bytes of each warm-up message are its own; the CRC (Castagnoli, little-
// endian) goes as a message of 4 bytes. A timed message keeps the bytes of the
// last one of the warm-up between its sequence numbers. For a round trip the
// receiver sends every message back as it came and the sender, where the clock
// is, compares it too.
//
// Over vmsplice, a pipe that is given pages, the messages of the timed part are built
// where they are sent from.
//
// Every message is one write of one message and is read as such, except where a
// row says framed: then it goes through package frame, as does the last CRC.
package transfer
