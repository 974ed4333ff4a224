package l02parallelsort

import (
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/integers"
)

// Run is the whole of a program of this kind, parent and worker. newLink is as in [Crew];
// open opens the worker's end, and what it returns sends.
func Run(name, about string, newLink func() (Link, int, func() error, error), open func(parent int) (send func(p []byte) error, err error)) {
	p := integers.NewProgram(name, about)
	workers := p.String("workers", "", "whose workers sort the files, a `program` (default: this one's)")
	id := p.Int("worker", -1, "be the worker of this number")
	parent := p.Int("parent", 0, "that was started by this process")
	_ = p.MarkHidden("worker")
	_ = p.MarkHidden("parent")
	files := p.Parse(os.Args[1:])
	if *id >= 0 {
		p.Exit(work(*id, *parent, files[0], open))
	}
	c := Crew{Workers: *workers, Report: p.Report(), NewLink: newLink}
	lists, err := c.Sort(files)
	if err != nil {
		p.Exit(err)
	}
	p.Exit(p.Finish(lists))
}

// work is what a worker does: it sorts a file and sends the count and the numbers. It ends
// with its parent.
func work(id, parent int, file string, open func(parent int) (func(p []byte) error, error)) error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	if os.Getppid() != parent { // it has ended before that
		return errors.New("a worker without its parent")
	}
	send, err := open(parent)
	if err != nil {
		return err
	}
	numbers, err := integers.SortFile(id, file, os.Stdout)
	if err != nil {
		return err
	}
	if err := send(binary.NativeEndian.AppendUint32(nil, uint32(len(numbers)))); err != nil {
		return err
	}
	return send(integers.Bytes(numbers))
}
