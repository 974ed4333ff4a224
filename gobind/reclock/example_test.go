package reclock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"unpipc/gobind/reclock"
)

// A lock of a description keeps out whoever has opened the file anew, be it in this
// process.
func Example() {
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-example-", os.Getpid()))
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "records")
	open := func() int {
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
		if err != nil {
			log.Fatal(err)
		}
		return fd
	}
	first, second := open(), open()
	defer unix.Close(first)
	defer unix.Close(second)

	record := reclock.Bytes(128, 64)
	if err := reclock.Description.Lock(first, reclock.Write, record); err != nil {
		log.Fatal(err)
	}
	err = reclock.Description.TryLock(second, reclock.Read, record)
	fmt.Println(err, errors.Is(err, unix.EAGAIN))
	holder, err := reclock.Process.Query(second, reclock.Read, reclock.All)
	fmt.Println(holder.Kind, holder.Start, holder.Length, err)
	// Output:
	// fcntl: resource temporarily unavailable true
	// write 128 64 <nil>
}

// Goroutines that lock through a Table exclude each other, too.
func ExampleTable() {
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-example-", os.Getpid()))
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	table, err := reclock.OpenTable(filepath.Join(dir, "lock"), 0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer table.Close()
	account, total := int64(17), int64(3)
	l, err := table.Lock(context.Background(), reclock.Write, account, total)
	if err != nil {
		log.Fatal(err)
	}
	_, err = table.TryLock(reclock.Read, total)
	fmt.Println(err)
	fmt.Println(l.Unlock())
	// Output:
	// fcntl: resource temporarily unavailable
	// <nil>
}
