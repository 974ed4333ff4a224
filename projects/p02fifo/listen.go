package p02fifo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/gobind/pipe"
)

// Why a FIFO cannot be had.
var (
	// ErrListening is in the error of [Listen] when a living server has the FIFO.
	ErrListening = errors.New("a server is already listening")

	errNotFIFO  = errors.New("not a FIFO")
	errNotOurs  = errors.New("another user's FIFO")
	errReplaced = errors.New("keeps being replaced")
)

// takeOver makes the well-known FIFO, or takes over one that nobody reads.
//
// Opening for writing tells a living server's FIFO from a dead one's. Two servers
// that start at once may both find it dead; the lock, which the kernel drops with
// its process, lets one of them pass. It may be a lock on a FIFO that its last
// owner was just removing, so the name is looked at again.
func takeOver(path string) (*pipe.Reader, error) {
	for range 10 {
		if err := fifo.Make(path, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		switch err := abandoned(path); {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, errAlive):
			return nil, fmt.Errorf("%s: %w", path, ErrListening)
		case err != nil:
			return nil, err
		}
		// A writer of its own: the server never reads end of file.
		r, err := fifo.OpenReadWriter(path, unix.O_NONBLOCK)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		if err := unix.Flock(r.Fd(), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			_ = r.Close()
			if err == unix.EWOULDBLOCK {
				err = ErrListening
			}
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if names(path, r.Fd()) {
			_ = unix.Fchmod(r.Fd(), 0o600) // its owner may
			return r, nil
		}
		_ = r.Close()
	}
	return nil, fmt.Errorf("%s: %w", path, errReplaced)
}

// errAlive says that a FIFO has a reader.
var errAlive = errors.New("has a reader")

// abandoned is nil for a FIFO of this user that nobody has open for reading.
// Errors: errAlive, errNotFIFO, errNotOurs, ErrNotExist and others with the path.
func abandoned(path string) error {
	if err := ours(path, unix.Geteuid()); err != nil {
		return err
	}
	w, err := fifo.OpenWriter(context.Background(), path, unix.O_NONBLOCK)
	if errors.Is(err, unix.ENXIO) {
		return nil
	} else if err != nil {
		return err
	}
	return errors.Join(fmt.Errorf("%s: %w", path, errAlive), w.Close())
}

// ours is nil for a FIFO, by its own name, of the user uid.
func ours(path string, uid int) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return fmt.Errorf("%s: %w", path, errNotFIFO)
	}
	if int(st.Uid) != uid {
		return fmt.Errorf("%s: %w", path, errNotOurs)
	}
	return nil
}

// names says whether path is still a name of the open descriptor.
func names(path string, fd int) bool {
	var a, b unix.Stat_t
	return unix.Lstat(path, &a) == nil && unix.Fstat(fd, &b) == nil && a.Ino == b.Ino && a.Dev == b.Dev
}

// deadReplies are the FIFOs beside the server's whose clients were killed.
func deadReplies(server string) []string {
	entries, _ := os.ReadDir(directory(server) + ".")
	var dead []string
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), replyPrefix)
		pid, err := strconv.ParseInt(digits, 10, 32)
		if !ok || err != nil || ReplyPath("", int(pid)) != e.Name() || pid <= 0 {
			continue
		}
		// A reader has a pid of another namespace, and is alive.
		path := ReplyPath(server, int(pid))
		if unix.Kill(int(pid), 0) == unix.ESRCH && abandoned(path) == nil {
			dead = append(dead, path)
		}
	}
	return dead
}
