package process_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"

	"unpipc/gobind/pipe"
	"unpipc/gobind/process"
)

// What a shell does for "printf 'b\na\n' | sort": a pipe, and two programs with its
// ends as standard output and input. A second pipe brings the result here.
func Example() {
	r, w, err := pipe.New(0)
	if err != nil {
		log.Fatal(err)
	}
	result, out, err := pipe.New(0)
	if err != nil {
		log.Fatal(err)
	}
	defer result.Close()
	printf, err := process.Start(&process.Cmd{
		Args:  []string{"printf", `b\na\n`},
		Files: []int{0, w.Fd(), 2},
	})
	if err != nil {
		log.Fatal(err)
	}
	sort, err := process.Start(&process.Cmd{
		Args:  []string{"sort"},
		Files: []int{r.Fd(), out.Fd(), 2},
	})
	if err != nil {
		log.Fatal(err)
	}
	// As long as this process has a write end open, its reader waits for more.
	r.Close()
	w.Close()
	out.Close()
	text, err := io.ReadAll(result)
	fmt.Printf("%q %v\n", text, err)
	for _, p := range []*process.Process{printf, sort} {
		status, err := p.Wait()
		fmt.Println(status, err)
	}
	// Output:
	// "a\nb\n" <nil>
	// exit status 0 <nil>
	// exit status 0 <nil>
}

// A program that cannot be executed is told apart from one that fails.
func ExampleStart() {
	_, err := process.Start(&process.Cmd{Args: []string{"/no/such/program"}})
	fmt.Println(err, errors.Is(err, fs.ErrNotExist))

	p, err := process.Start(&process.Cmd{Args: []string{"sh", "-c", "exit 3"}})
	if err != nil {
		log.Fatal(err)
	}
	status, err := p.Wait()
	fmt.Println(status, err)
	// Output:
	// exec /no/such/program: no such file or directory true
	// exit status 3 <nil>
}

// Status.Shell is $? as a shell would give it.
func ExampleStatus_Shell() {
	p, err := process.Start(&process.Cmd{Args: []string{"sh", "-c", "kill -TERM $$"}, DefaultSignals: true})
	if err != nil {
		log.Fatal(err)
	}
	status, err := p.Wait()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status, status.Shell())
	// Output: killed by SIGTERM (terminated) 143
}
