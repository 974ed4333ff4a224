// Package p01pipeline runs pipelines of programs as a shell does: exercise 1 of
// the guide (UNPv2 4.3, APUE 15.2).
//
// The parent makes one pipe at a time. While stage i is started it holds three
// descriptors at most: the read end of the pipe behind stage i-1 and both ends of
// the next. All are close-on-exec, so no program inherits an end that is not its
// standard input or output, and the parent closes each as soon as it has handed
// it on. That is what makes end of file arrive.
package p01pipeline
