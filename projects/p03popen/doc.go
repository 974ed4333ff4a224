// Package p03popen is popen and pclose, made of pipe, fork, dup2, exec and
// waitpid: exercise 3 of the guide (UNPv2 4.5, APUE 15.3). See popen(3).
//
// # What is difficult about it
//
// A stream is closed by its owner, but the child behind it must be waited for, so
// a table leads from the stream to the child. The same table names the descriptors
// that a later command must not have: were the write end of one stream left open
// in the command of another, the first command would never see end of file.
// POSIX asks for that. Without "e" these descriptors are otherwise inherited by
// every program this process starts.
//
// One lock covers the fork, the clearing of close-on-exec and the entry in the
// table. Else a second thread could fork when the descriptor is inheritable and
// not yet in the table. The same lock covers the way back, the end of the entry and
// the close. The C version, which has to flush a buffer before it closes and may
// sleep in that, makes the descriptor close-on-exec again instead.
//
// # Caveats
//
// Other ways to start a program do not know the table: a command started by os/exec
// inherits every stream opened without "e". Use "e" where both are used.
//
// A stream is the descriptor itself: Read and Write are single system calls, there
// is no buffer as a C stream has.
package p03popen
