package unixsock

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
)

// maxRights is how many descriptors the kernel lets one message carry: SCM_MAX_FD.
const maxRights = 253

// SendRights writes p, with descriptors that the other end gets copies of: the same open
// files, with their offsets and O_NONBLOCK, not the same numbers. They may be closed
// here as soon as it returns. p must not be empty, and on a [Stream] a part of it may be
// all that is sent; n tells. See SCM_RIGHTS in unix(7), UNP 15.7.
// Errors: *os.SyscallError (EINVAL: no bytes, or over 253 descriptors; EBADF; EPIPE;
// ETOOMANYREFS: too many are on their way).
func (c *Conn) SendRights(p []byte, fds ...int) (n int, err error) {
	return c.SendRightsContext(context.Background(), p, fds...)
}

// SendRightsContext is [Conn.SendRights] until ctx ends; then nothing was sent.
func (c *Conn) SendRightsContext(ctx context.Context, p []byte, fds ...int) (n int, err error) {
	if len(p) == 0 {
		return 0, errs.Call("sendmsg", unix.EINVAL)
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	return blocking.Transfer(ctx, "sendmsg", func() (int, error) {
		return unix.SendmsgN(c.fd, p, rights, nil, unix.MSG_NOSIGNAL)
	})
}

// ErrRightsLost says that a message came with more descriptors than were asked for, or
// than this process may open. Those that did come were closed again.
var ErrRightsLost = errors.New("descriptors of a message were lost")

// ReceiveRights reads into p, with up to room descriptors that came along. They are
// close-on-exec and the caller's to close. A [Stream]'s read ends behind the bytes that
// descriptors came with.
// Errors: as for [Conn.Read]; [ErrRightsLost], with the bytes.
func (c *Conn) ReceiveRights(p []byte, room int) (n int, fds []int, err error) {
	return c.ReceiveRightsContext(context.Background(), p, room)
}

// ReceiveRightsContext is [Conn.ReceiveRights] until ctx ends; then nothing was taken.
func (c *Conn) ReceiveRightsContext(ctx context.Context, p []byte, room int) (n int, fds []int, err error) {
	control := make([]byte, unix.CmsgSpace(4*min(max(room, 0), maxRights)))
	var used, flags int
	n, err = blocking.Transfer(ctx, "recvmsg", func() (n int, err error) {
		n, used, flags, _, err = unix.Recvmsg(c.fd, p, control, unix.MSG_CMSG_CLOEXEC)
		return n, err
	})
	if err != nil {
		return 0, nil, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:used])
	for i := range messages {
		if more, notRights := unix.ParseUnixRights(&messages[i]); notRights == nil {
			fds = append(fds, more...)
		}
	}
	// A buffer for one descriptor has room for two: CMSG_SPACE rounds up.
	if err != nil || flags&unix.MSG_CTRUNC != 0 || len(fds) > room {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
		return n, nil, ErrRightsLost
	}
	if n == 0 && len(p) > 0 {
		return 0, fds, io.EOF
	}
	return n, fds, nil
}

// Credentials say who a process is.
type Credentials struct {
	Pid int // as seen from here; 0 if it is in a namespace that cannot be
	UID uint32
	GID uint32
}

// Peer says who made the other end, at the time of connect(2), listen(2) or
// socketpair(2): the process may have ended or handed the socket on since. See
// SO_PEERCRED in unix(7).
func (c *Conn) Peer() (Credentials, error) {
	cred, err := unix.GetsockoptUcred(c.fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Credentials{}, errs.Call("getsockopt", errs.Errno(err))
	}
	return Credentials{int(cred.Pid), cred.Uid, cred.Gid}, nil
}
