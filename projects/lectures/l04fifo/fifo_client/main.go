// Command fifo_client writes its process number into fifo_server's FIFO.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
)

func main() {
	p := cli.New("fifo_client", "", "Writes its process number into fifo_server's FIFO.", "  fifo_client")
	path := p.String("fifo", "/tmp/fifo_server", "the `path` of the FIFO")
	p.ParseFlags(os.Args[1:])
	p.Exit(send(*path))
}

func send(path string) error {
	ctx := cli.UntilSignal()
	w, err := fifo.OpenWriter(ctx, path, unix.O_NONBLOCK)
	if errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("%s: no server reads it", path)
	} else if err != nil {
		return err
	}
	if err := unix.SetNonblock(w.Fd(), false); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	pid := os.Getpid()
	if _, err := w.WriteContext(ctx, binary.NativeEndian.AppendUint32(nil, uint32(pid))); err != nil {
		return err
	}
	return lecture.Say("my pid %d is sent to server\n", pid)
}
