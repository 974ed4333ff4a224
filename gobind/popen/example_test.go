package popen_test

import (
	"fmt"
	"io"
	"log"

	"unpipc/gobind/popen"
)

func Example() {
	s, err := popen.Open("echo some output; exit 2", "r")
	if err != nil {
		log.Fatal(err)
	}
	text, err := io.ReadAll(s)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", text)
	status, err := s.Close()
	fmt.Println(status, err)
	// Output:
	// some output
	// exit status 2 <nil>
}
