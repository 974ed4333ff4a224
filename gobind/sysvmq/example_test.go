package sysvmq_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
)

// One queue for all: a server takes type 1, and each client the type that is its pid.
func Example() {
	q, err := sysvmq.Get(sysvmq.Private, sysvmq.Create|0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer q.Remove()
	const request = 1
	client := int64(os.Getpid())

	if err := q.Send(request, []byte("HELLO"), 0); err != nil {
		log.Fatal(err)
	}
	buf := make([]byte, 100)
	n, _, err := q.Receive(buf, request, 0)
	if err != nil {
		log.Fatal(err)
	}
	if err := q.Send(client, append(buf[:n], "_PROCESSED"...), 0); err != nil {
		log.Fatal(err)
	}
	n, mtype, err := q.Receive(buf, client, 0)
	fmt.Printf("%s, %t, %v\n", buf[:n], mtype == client, err)
	// Output: HELLO_PROCESSED, true, <nil>
}

// What a receiver asks for decides what it gets.
func ExampleQueue_Receive() {
	q, err := sysvmq.Get(sysvmq.Private, sysvmq.Create|0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer q.Remove()
	for _, mtype := range []int64{30, 10, 20} {
		if err := q.Send(mtype, fmt.Appendf(nil, "message of type %d", mtype), 0); err != nil {
			log.Fatal(err)
		}
	}
	buf := make([]byte, 100)
	for _, want := range []int64{-25, 20, 20, 0} {
		n, _, err := q.Receive(buf, want, sysvmq.NoWait)
		if errors.Is(err, unix.ENOMSG) {
			fmt.Println("none")
			continue
		}
		fmt.Printf("%s\n", buf[:n])
	}
	// Output:
	// message of type 10
	// message of type 20
	// none
	// message of type 30
}

// A receiver that gives up has taken nothing.
func ExampleQueue_ReceiveContext() {
	q, err := sysvmq.Get(sysvmq.Private, sysvmq.Create|0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer q.Remove()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, _, err = q.ReceiveContext(ctx, make([]byte, 100), 1, 0)
	fmt.Println(err)
	// Output: context deadline exceeded
}

// A Message is used again and again, without a copy or an allocation.
func ExampleQueue_SendMessage() {
	q, err := sysvmq.Get(sysvmq.Private, sysvmq.Create|0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer q.Remove()
	ctx := context.Background()
	m := sysvmq.NewMessage(100)
	for i := range 3 {
		m.SetType(int64(3 - i))
		n := copy(m.Data(), fmt.Sprint("message ", i))
		if err := q.SendMessage(ctx, m, n, 0); err != nil {
			log.Fatal(err)
		}
	}
	for range 3 {
		n, err := q.ReceiveMessage(ctx, m, -3, 0)
		fmt.Printf("%d %s %v\n", m.Type(), m.Data()[:n], err)
	}
	// Output:
	// 1 message 2 <nil>
	// 2 message 1 <nil>
	// 3 message 0 <nil>
}

// Programs that know the same file and number find the same queue.
func ExampleFtok() {
	ours, err := sysvmq.Ftok("/", 'U')
	if err != nil {
		log.Fatal(err)
	}
	theirs, err := sysvmq.Ftok("/", 'U'+256) // only the low 8 bits count
	fmt.Println(ours == theirs, err)
	// Output: true <nil>
}
