package pipe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
)

// The end of the data is the end of the last writer.
func Example() {
	r, w, err := pipe.New(0)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	fmt.Fprint(w, "hello")
	w.Close()
	text, err := io.ReadAll(r)
	fmt.Printf("%s, %v\n", text, err)
	// Output: hello, <nil>
}

// A read that waits is given up when its context ends; nothing is lost by it.
func ExampleReader_ReadContext() {
	r, w, err := pipe.New(0)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = r.ReadContext(ctx, make([]byte, 10))
	fmt.Println(err)
	// Output: context deadline exceeded
}

// A non-blocking end takes what there is room for.
func ExampleWriter_Write() {
	r, w, err := pipe.New(unix.O_NONBLOCK)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	capacity, err := w.SetCapacity(8192)
	if err != nil {
		log.Fatal(err)
	}
	n, err := w.Write(make([]byte, 10_000))
	fmt.Println(n == capacity, errors.Is(err, unix.EAGAIN))
	// Output: true true
}

// In packet mode a pipe keeps the bounds of writes.
func ExampleNew_packets() {
	r, w, err := pipe.New(unix.O_DIRECT)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fmt.Fprint(w, "one")
	fmt.Fprint(w, "two")
	p := make([]byte, 100)
	n, err := r.Read(p)
	fmt.Printf("%s, %v\n", p[:n], err)
	// Output: one, <nil>
}

// Tee lets one stream go two ways without copying it into this process.
func ExampleTee() {
	r1, w1, err := pipe.New(0)
	if err != nil {
		log.Fatal(err)
	}
	defer r1.Close()
	defer w1.Close()
	r2, w2, err := pipe.New(0)
	if err != nil {
		log.Fatal(err)
	}
	defer r2.Close()
	defer w2.Close()
	fmt.Fprint(w1, "both")
	if _, err := pipe.Tee(w2, r1, 100, 0); err != nil {
		log.Fatal(err)
	}
	p := make([]byte, 100)
	for _, r := range []*pipe.Reader{r1, r2} {
		n, err := r.Read(p)
		fmt.Printf("%s, %v\n", p[:n], err)
	}
	// Output:
	// both, <nil>
	// both, <nil>
}
