package stress

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// dgramScenario has a pair of connected Unix domain sockets that keep boundaries: the
// seed says whether datagrams or sequenced packets. Neither loses a packet: who sends
// to a full socket sleeps.
var dgramScenario = Scenario{
	Name:     "unix_dgram",
	Checks:   "packets of datagram and seqpacket sockets come whole and once; a killed receiver loses no more than the one in its hands",
	Sabotage: "a packet is not sent",
	workers:  receivers + 3, ops: 2000, victim: 1, saboteur: 3,
	deaths: mailDeaths,
	round: func(r *round) error {
		kind := []int{unix.SOCK_DGRAM, unix.SOCK_SEQPACKET}[r.choose(2, 'k')]
		pair, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("socketpair", err)
		}
		defer unix.Close(pair[0])
		defer unix.Close(pair[1])
		r.files = pair[:]
		return r.mailRound()
	},
	work: func(w *worker) error {
		const in, out = firstFd, firstFd + 1
		return w.atMail(&mail{
			most: 2048, classes: 1,
			try:  func(m []byte, _ uint64) error { return sendPacket(out, m, unix.MSG_DONTWAIT) },
			send: func(m []byte, _ uint64) error { return sendPacket(out, m, 0) },
			receive: func(buf []byte) (int, uint64, error) {
				poll := []unix.PollFd{{Fd: in, Events: unix.POLLIN}}
				if _, err := unix.Poll(poll, int(look.Milliseconds())); err != nil && err != unix.EINTR {
					return 0, 0, os.NewSyscallError("poll", err)
				}
				n, err := receivePacket(in, buf)
				return n, 1, err
			},
			wrong: func(uint64) []uint64 { return nil },
		})
	},
}

func sendPacket(fd int, m []byte, flags int) error {
	for {
		err := unix.Sendto(fd, m, flags|unix.MSG_NOSIGNAL, nil)
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("send", err)
		}
	}
}

// receivePacket takes a packet if there is one.
func receivePacket(fd int, buf []byte) (n int, err error) {
	for {
		n, _, err = unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
		if !errors.Is(err, unix.EINTR) {
			return n, os.NewSyscallError("recv", err)
		}
	}
}
