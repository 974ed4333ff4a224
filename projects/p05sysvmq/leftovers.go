package p05sysvmq

import (
	"errors"
	"fmt"
	"path/filepath"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/exercise"
)

// leftovers are the queues of killed servers, and what is left of their locks. Only a
// lock's file tells that a queue is ours: it names the queue by key and identifier,
// and the kernel does not give an identifier again for a long time.
func leftovers() ([]exercise.Leftover, error) {
	files, err := filepath.Glob(lockPrefix + "0x????????")
	if err != nil {
		return nil, err
	}
	var left []exercise.Leftover
	for _, file := range files {
		key, err := parseKey(file[len(lockPrefix):])
		if err != nil {
			continue
		}
		last, alive, err := lastOwner(key)
		if err != nil || alive {
			continue // alive, another user's, or no file of a server
		}
		name := file
		if orphan(key, last) != nil {
			name = fmt.Sprintf("System V queue key %s (msqid %d), %s", key, last.msqid, file)
		}
		left = append(left, exercise.Leftover{
			Name:   name,
			Why:    fmt.Sprintf("its server, process %d, is dead", last.pid),
			Remove: func() error { return removeLeft(key) },
		})
	}
	return left, nil
}

// orphan is the queue that the key's last owner left, nil if it is gone.
func orphan(key sysvmq.Key, last owner) *sysvmq.Queue {
	q, err := sysvmq.Get(key, 0)
	if err != nil || last.pid == 0 || q.ID() != last.msqid {
		return nil
	}
	return q
}

// removeLeft looks again, now with the lock: a server may have come meanwhile.
func removeLeft(key sysvmq.Key) error {
	l, err := acquire(key)
	if err != nil {
		return err
	}
	if q := orphan(key, l.last); q != nil {
		err = q.Remove()
	}
	return errors.Join(err, l.release())
}
