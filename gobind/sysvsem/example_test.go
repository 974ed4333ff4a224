package sysvsem_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvsem"
)

// Both forks or none: no philosopher ever holds one and waits for the other.
func Example() {
	forks, err := sysvsem.Get(sysvsem.Private, 5, sysvsem.Create|0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer forks.Remove()
	if err := forks.SetValues(1, 1, 1, 1, 1); err != nil {
		log.Fatal(err)
	}
	take := func(left, right uint16) error {
		return forks.Do(
			sysvsem.Op{Sem: left, Add: -1, Flags: sysvsem.NoWait | sysvsem.Undo},
			sysvsem.Op{Sem: right, Add: -1, Flags: sysvsem.NoWait | sysvsem.Undo})
	}
	fmt.Println("0 eats:", take(0, 1) == nil)
	err = take(1, 2)
	fmt.Println("1 waits:", errors.Is(err, unix.EAGAIN))
	fmt.Println("2 eats:", take(2, 3) == nil)
	values, err := forks.Values()
	fmt.Println(values, err)
	// Output:
	// 0 eats: true
	// 1 waits: true
	// 2 eats: true
	// [0 0 0 0 1] <nil>
}

// Whoever comes first makes the set; nobody uses it before it has its values.
func ExampleEstablish() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	key := newKey() // or one that programs agree on
	set, made, err := sysvsem.Establish(ctx, key, 0o600, 3)
	if err != nil {
		log.Fatal(err)
	}
	defer set.Remove()
	same, again, err := sysvsem.Establish(ctx, key, 0o600, 3)
	fmt.Println(made, again, same.ID() == set.ID(), err)
	// Output: true false true <nil>
}
