package fifo_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
)

// A server reads requests for ever: because it is a writer itself, it does not
// see the end of file when its last client goes.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "server")
	if err := fifo.Make(path, 0o600); err != nil {
		log.Fatal(err)
	}
	server, err := fifo.OpenReadWriter(path, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	request := make([]byte, 100)
	for _, text := range []string{"first client", "second client"} {
		client, err := fifo.OpenWriter(context.Background(), path, 0)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprint(client, text)
		client.Close()
		n, err := server.Read(request)
		fmt.Printf("%s, %v\n", request[:n], err)
	}
	// Output:
	// first client, <nil>
	// second client, <nil>
}

// A server that answers must not wait for a client that is gone.
func ExampleOpenWriter() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "client")
	if err := fifo.Make(path, 0o600); err != nil {
		log.Fatal(err)
	}
	_, err = fifo.OpenWriter(context.Background(), path, unix.O_NONBLOCK)
	fmt.Println(errors.Is(err, unix.ENXIO))
	// Output: true
}
