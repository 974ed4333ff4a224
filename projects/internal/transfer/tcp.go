package transfer

import (
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/unixsock"
)

// openTCP makes a connection over the loopback interface, whose ends send each message at
// once (TCP_NODELAY).
func (c *channel) openTCP() error {
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(listener)
	if err := unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if err := unix.Listen(listener, 1); err != nil {
		return os.NewSyscallError("listen", err)
	}
	addr, err := unix.Getsockname(listener)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	for i := range c.ends {
		var fd int
		if i == 0 {
			fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		} else {
			fd, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
		}
		if err == nil {
			// It is read and written as a stream socket of the other family is.
			c.ends[i] = end{"3", "3", []file{unixsock.New(fd)}}
			err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		}
		if err == nil && i == 0 {
			err = unix.Connect(fd, addr)
		}
		if err != nil {
			c.close()
			return os.NewSyscallError("socket", err)
		}
	}
	return nil
}
