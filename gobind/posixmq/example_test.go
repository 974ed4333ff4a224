package posixmq_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
)

// newExample is a queue nobody else has.
func newExample(flags int) *posixmq.Queue {
	name := fmt.Sprintf("/example-%d", os.Getpid())
	q, err := posixmq.Open(name, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR|flags, 0o600, &posixmq.Attr{MaxMsg: 4, MsgSize: 64})
	if err != nil {
		log.Fatal(err)
	}
	if err := posixmq.Unlink(name); err != nil {
		log.Fatal(err)
	}
	return q
}

// The highest priority comes first, and the oldest of those that have it.
func Example() {
	name := fmt.Sprintf("/jobs-%d", os.Getpid())
	q, err := posixmq.Open(name, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 4, MsgSize: 64})
	if err != nil {
		log.Fatal(err)
	}
	defer posixmq.Unlink(name)
	defer q.Close()
	for _, job := range []struct {
		text     string
		priority uint
	}{{"sweep", 0}, {"put out the fire", 31}, {"cook", 15}, {"dust", 0}} {
		if err := q.Send([]byte(job.text), job.priority); err != nil {
			log.Fatal(err)
		}
	}
	buf := make([]byte, 64)
	for range 4 {
		n, priority, err := q.Receive(buf)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%2d %s\n", priority, buf[:n])
	}
	// Output:
	// 31 put out the fire
	// 15 cook
	//  0 sweep
	//  0 dust
}

// A receiver that gives up has taken nothing.
func ExampleQueue_ReceiveContext() {
	q := newExample(0)
	defer q.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	buf := make([]byte, 64)
	_, _, err := q.ReceiveContext(ctx, buf)
	fmt.Println(err)

	go q.Send([]byte("late"), 0)
	n, _, err := q.ReceiveContext(context.Background(), buf)
	fmt.Printf("%s, %v\n", buf[:n], err)
	// Output:
	// context deadline exceeded
	// late, <nil>
}

// A deadline is a time of day, so what is left of it is the same after a signal.
func ExampleQueue_SendBy() {
	q := newExample(0)
	defer q.Close()
	deadline := time.Now().Add(20 * time.Millisecond)
	sent := 0
	for {
		if err := q.SendBy(deadline, []byte("more"), 0); err != nil {
			fmt.Println(sent, "sent,", errors.Is(err, unix.ETIMEDOUT))
			return
		}
		sent++
	}
	// Output: 4 sent, true
}

// To miss no message: register again first, then receive until nothing is left. The
// other way round, one that comes in between goes unnoticed.
func ExampleQueue_NotifyThread() {
	q := newExample(unix.O_NONBLOCK)
	defer q.Close()
	received := make(chan string)
	var notified func()
	notified = func() {
		if err := q.NotifyThread(notified); err != nil && !errors.Is(err, unix.EBUSY) {
			log.Print(err)
			return
		}
		buf := make([]byte, 64)
		for {
			n, _, err := q.Receive(buf)
			if err != nil {
				return // EAGAIN: the next one is notified of
			}
			received <- string(buf[:n])
		}
	}
	if err := q.NotifyThread(notified); err != nil {
		log.Fatal(err)
	}
	for _, text := range []string{"one", "two"} {
		if err := q.Send([]byte(text), 0); err != nil {
			log.Fatal(err)
		}
		fmt.Println(<-received)
	}
	// Output:
	// one
	// two
}

// One process can be registered for a queue, and everyone can see which.
func ExampleQueue_Status() {
	q := newExample(0)
	defer q.Close()
	if err := q.NotifySignal(unix.SIGUSR1, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Println(errors.Is(q.NotifyNone(), unix.EBUSY))
	s, err := q.Status()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.NotifyPID == os.Getpid(), s.Notify, s.Signal)
	// Output:
	// true
	// true SIGEV_SIGNAL user defined signal 1
}
