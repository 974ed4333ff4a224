package mmap_test

import (
	"errors"
	"fmt"
	"log"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/mmap"
)

// Somebody makes a file shorter while it is mapped.
func ExampleCatch() {
	f, err := os.CreateTemp("", "unpipc-mmap-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := f.Truncate(100_000); err != nil {
		log.Fatal(err)
	}
	memory, err := mmap.Map(int(f.Fd()), 0, 100_000, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		log.Fatal(err)
	}
	defer mmap.Unmap(memory)
	if err := f.Truncate(0); err != nil {
		log.Fatal(err)
	}
	sum := 0
	err = mmap.Catch(memory, func() {
		for _, b := range memory {
			sum += int(b)
		}
	})
	fmt.Println(err, errors.Is(err, unix.EFAULT))
	// Output: fault at byte 0 of mapped memory: the file has ended before it, or has no room true
}

// A counter that C sees as a uint64_t at byte 64.
func ExampleView() {
	memory, err := mmap.Map(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		log.Fatal(err)
	}
	defer mmap.Unmap(memory)
	counter, err := mmap.View[uint64](memory, 64)
	if err != nil {
		log.Fatal(err)
	}
	*counter = 258
	fmt.Println(memory[64:67])
	_, err = mmap.View[uint64](memory, 4092)
	fmt.Println(err)
	// Output:
	// [2 1 0]
	// view of 1 uint64 (8 bytes each) at 4092: the memory has 4096 bytes
}
