package posixsem_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixsem"
)

// Two of anything, for all processes that know the name.
func Example() {
	name := fmt.Sprintf("/unpipc-%d-example", os.Getpid())
	s, err := posixsem.Open(name, unix.O_CREAT|unix.O_EXCL, 0o600, 2)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	defer posixsem.Unlink(name)
	for range 3 {
		err := s.TryWait()
		if errors.Is(err, unix.EAGAIN) {
			fmt.Println("none left")
			break
		}
		fmt.Println("one taken", err)
	}
	fmt.Println(s.Post(), s.Post())
	// Output:
	// one taken <nil>
	// one taken <nil>
	// none left
	// <nil> <nil>
}

// One who gives up has taken nothing.
func ExampleSem_WaitContext() {
	s, err := posixsem.New(0)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Destroy()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(s.WaitContext(ctx))
	// Output: context deadline exceeded
}
