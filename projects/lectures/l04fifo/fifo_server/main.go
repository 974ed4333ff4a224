// Command fifo_server prints the process numbers that clients write into a FIFO.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/gobind/pipe"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/internal/marks"
)

func main() {
	p := cli.New("fifo_server", "",
		"Makes a FIFO and prints the process numbers that fifo_client writes into it, until\n"+
			"SIGINT or SIGTERM; then it removes the FIFO.",
		"  fifo_server & fifo_client; kill $!")
	path := p.String("fifo", "/tmp/fifo_server", "the `path` of the FIFO")
	p.ParseFlags(os.Args[1:])
	p.Exit(run(cli.UntilSignal(), p, *path))
}

func run(ctx context.Context, p *cli.Program, path string) error {
	mark, err := marks.Claim("lecture-4", marks.FIFO, path)
	if err != nil {
		return err
	}
	r, err := listen(path)
	if err != nil {
		return errors.Join(err, mark.Remove())
	}
	if err = mark.RecordFile(path); err == nil {
		err = serve(ctx, p, r)
	}
	return errors.Join(err, os.Remove(path), mark.Remove())
}

// listen makes the FIFO, or takes the one that a killed server has left. It is opened for
// writing too: without a writer read would return at once, again and again.
func listen(path string) (*pipe.Reader, error) {
	if err := fifo.Make(path, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	r, err := fifo.OpenReadWriter(path, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(r.Fd(), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s: another server has it", path)
	} else if err != nil {
		return nil, &fs.PathError{Op: "flock", Path: path, Err: err}
	}
	return r, nil
}

func serve(ctx context.Context, p *cli.Program, r *pipe.Reader) error {
	var pid [4]byte
	for {
		n, err := r.ReadContext(ctx, pid[:])
		if err != nil {
			return err
		}
		if n < len(pid) {
			p.Complain("%d bytes are no process number", n)
			continue
		}
		if err := lecture.Say("new client %d\n", int32(binary.NativeEndian.Uint32(pid[:]))); err != nil {
			return err
		}
	}
}
