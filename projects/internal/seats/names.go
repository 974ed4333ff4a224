package seats

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/exercise"
)

var nameCount atomic.Int64

// NewName is a name for an object of this kind, a word, that tells which process chose it,
// so that [Leftovers] finds what a killed one left.
func NewName(kind string) string {
	return fmt.Sprintf("/unpipc-%d-%s-%d", os.Getpid(), kind, nameCount.Add(1))
}

// Leftovers are the objects with a name by [NewName], or one that begins so, which were
// chosen by processes that are gone.
func Leftovers(kind string) ([]exercise.Leftover, error) {
	files, err := filepath.Glob("/dev/shm/unpipc-*-" + kind + "-*")
	if err != nil {
		return nil, err
	}
	var left []exercise.Leftover
	for _, file := range files {
		var pid, n int
		_, err := fmt.Sscanf(filepath.Base(file), "unpipc-%d-"+kind+"-%d", &pid, &n)
		if err != nil || pid <= 0 || !errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			continue
		}
		left = append(left, exercise.Leftover{Name: file, Why: fmt.Sprintf("process %d is gone", pid),
			Remove: func() error {
				if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				return nil
			}})
	}
	return left, nil
}
