package callcost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
	"unpipc/gobind/sysvmq"
)

type posixQueue struct {
	*posixmq.Queue
	sent, got []byte
}

func openPOSIX(r *role) (queue, error) {
	name := fmt.Sprintf("/unpipc-callcost-%d", os.Getpid())
	q, err := posixmq.Open(name, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 1, MsgSize: r.size})
	if errors.Is(err, unix.EINVAL) {
		return nil, r.raise("/proc/sys/fs/mqueue/msgsize_max")
	}
	if errors.Is(err, unix.EMFILE) {
		return nil, errOverLimit(fmt.Sprintf("messages of %d bytes: ulimit -q", r.size))
	}
	if err != nil {
		return nil, err
	}
	// So that nothing is left, however this ends.
	if err := posixmq.Unlink(name); err != nil {
		return nil, err
	}
	return &posixQueue{q, make([]byte, r.size), make([]byte, r.size)}, nil
}

func (q *posixQueue) buffers() (sent, got []byte) { return q.sent, q.got }
func (q *posixQueue) close() error                { return q.Close() }

func (q *posixQueue) pass(seq uint64) (int, error) {
	priority := uint(seq % 32768)
	if err := q.Send(q.sent, priority); err != nil {
		return 0, err
	}
	n, back, err := q.Receive(q.got)
	if back != priority {
		n = 0
	}
	return n, err
}

type systemVQueue struct {
	*sysvmq.Queue
	sent, got *sysvmq.Message
}

func openSystemV(r *role) (queue, error) {
	info, err := sysvmq.ReadInfo()
	if err != nil {
		return nil, err
	}
	if r.size > info.MaxMessage || r.size > info.MaxQueueBytes {
		return nil, r.raise("/proc/sys/kernel/msgmax", "/proc/sys/kernel/msgmnb")
	}
	q, err := sysvmq.Get(sysvmq.Private, sysvmq.Create|0o600)
	if err != nil {
		return nil, err
	}
	return &systemVQueue{q, sysvmq.NewMessage(r.size), sysvmq.NewMessage(r.size)}, nil
}

func (q *systemVQueue) buffers() (sent, got []byte) { return q.sent.Data(), q.got.Data() }
func (q *systemVQueue) close() error                { return q.Remove() }

func (q *systemVQueue) pass(seq uint64) (int, error) {
	ctx := context.Background()
	q.sent.SetType(int64(seq))
	if err := q.SendMessage(ctx, q.sent, len(q.sent.Data()), 0); err != nil {
		return 0, err
	}
	n, err := q.ReceiveMessage(ctx, q.got, 0, 0)
	if q.got.Type() != int64(seq) {
		n = 0
	}
	return n, err
}

// errOverLimit says which limit of the system keeps the messages from being sent.
type errOverLimit string

func (e errOverLimit) Error() string { return string(e) }

// raisedEnv marks a role in a namespace of its own, so that it tries only once.
const raisedEnv = "UNPIPC_CALLCOST_RAISED"

// raise starts this role anew in an IPC namespace of its own where the limits, files
// of /proc/sys, are large enough. It returns only if that cannot be done.
func (r *role) raise(limits ...string) error {
	runtime.LockOSThread() // a namespace is the thread's, until exec makes it the process's
	err := unix.Unshare(unix.CLONE_NEWIPC)
	if os.Getenv(raisedEnv) != "" {
		err = unix.EINVAL
	}
	for _, file := range limits {
		if err == nil {
			err = os.WriteFile(file, []byte(strconv.Itoa(r.size)), 0)
		}
	}
	if err == nil {
		err = syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), raisedEnv+"=1"))
	}
	return errOverLimit(fmt.Sprintf("messages of %d bytes: %s, or CAP_SYS_ADMIN (%v)", r.size, remedy(r.size, limits), err))
}

// remedy is the command that raises the limits.
func remedy(size int, limits []string) string {
	text := "sysctl -w"
	for _, file := range limits {
		name := strings.ReplaceAll(strings.TrimPrefix(file, "/proc/sys/"), "/", ".")
		text += fmt.Sprintf(" %s=%d", name, size)
	}
	return text
}
