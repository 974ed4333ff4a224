package posixshm_test

import (
	"fmt"
	"log"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
)

// Two that know a name share memory.
func Example() {
	name := fmt.Sprintf("/unpipc-%d-example", os.Getpid())
	o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer posixshm.Unlink(name)
	defer o.Close()
	if err := o.Allocate(4096); err != nil { // a full /dev/shm is an error here
		log.Fatal(err)
	}
	ours, err := o.Map(4096, true)
	if err != nil {
		log.Fatal(err)
	}
	defer posixshm.Unmap(ours)

	same, err := posixshm.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		log.Fatal(err)
	}
	theirs, err := same.Map(4096, false)
	if err != nil {
		log.Fatal(err)
	}
	defer posixshm.Unmap(theirs)
	fmt.Println(same.Close()) // the mapping stays

	copy(ours, "shared")
	fmt.Printf("%s\n", theirs[:6])
	// Output:
	// <nil>
	// shared
}

// Whoever is handed sealed memory can map it without fear that it changes or shrinks.
func ExampleObject_Seal() {
	o, err := posixshm.Memfd("report", unix.MFD_ALLOW_SEALING)
	if err != nil {
		log.Fatal(err)
	}
	defer o.Close()
	if _, err := unix.Write(o.Fd(), []byte("final")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(o.Seal(unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE))
	_, err = o.Map(5, true)
	fmt.Println(err)
	// Output:
	// <nil>
	// mmap memfd:report: operation not permitted
}
