// Package p04posixmq is a job dispatcher behind a POSIX message queue: UNPv2
// chapter 5.
//
//	submit_job ── jobs/7, then the message "7 echo hi" ──►  /job_queue  ──► job_dispatcher
//	                                                                          │ heap
//	                                     /bin/sh -c "echo hi"  ◄── jobs/7 becomes running/7
//
// The queue carries the jobs, tells the dispatcher that there are some, and makes
// submitters wait when there are too many. What it cannot do is to give a message
// back: once mq_receive has returned, a killed receiver takes it to its grave. So
// every job is in a file too, and the place of the file says how far it has come.
//
// # The state directory
//
// Both programs, in Go and in C, keep to this layout. It is private (0700), as what
// is written there gets executed.
//
//	lock         write-locked (fcntl) by the dispatcher for as long as it lives;
//	             holds its --aging in nanoseconds
//	counter      the last number that a job got, in decimal; changed under flock(2)
//	new/PID.N    a job being written by process PID
//	jobs/ID      a job that waits: "PRIORITY COMMAND"; its time of modification is
//	             when it was queued
//	running/ID   the same file, from before the job starts until its result is kept
//	output/ID    what a running job has written so far, standard error included; the
//	             processes of the job hold a lock (flock) on it while it is theirs
//	log          one line a finished job: "ID PRIORITY RESULT"
//	log.1        the log before that, when it had grown over a megabyte
//
// The steps of a job, each a single system call that either happened or did not:
//
//	submit_job      link new/PID.N as jobs/ID    under the lock of the counter
//	                mq_send "ID COMMAND"         on failure unlink jobs/ID: whoever
//	                                             finds it gone has lost to the
//	                                             dispatcher, and the job is taken
//	job_dispatcher  mq_receive
//	                rename jobs/ID to running/ID the job is the dispatcher's
//	                run it
//	                append to the log            the job is done
//	                unlink running/ID
//
// A dispatcher that starts finds every job of a killed one by that: in running/ and
// in the log, it was done; in running/ only, it was interrupted, and is queued
// again; in jobs/, it waits, whether its message is still in the queue or not. The
// processes of an interrupted job outlive its dispatcher. They are known by their
// environment (JOB_STATE, JOB_ID) and by the lock on their output, and are killed
// before the job is queued again.
//
// The message of a job that is in jobs/ no longer is ignored, and said to be: the
// job was taken from there earlier, by a dispatcher that found it while its
// submitter was waiting for room in the queue.
//
// # Caveats
//
// A process that closes any descriptor of a file drops its fcntl locks on it, and one
// that closes any descriptor of a queue its registration for notification: [List],
// [Submit] and [Shutdown] are not for the process that runs a [Dispatcher] of the same
// place.
//
// A message that another program has put into the queue is a job only from when the
// dispatcher has written it to jobs/; killed before that, it loses it.
package p04posixmq
