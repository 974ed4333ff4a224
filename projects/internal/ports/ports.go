// Package ports finds TCP and UDP ports for servers that are stopped and started again.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
)

// Reserve is a port at which nobody listens on the loopback interface, by TCP or UDP, from where no
// connection gets one by chance, and that no other caller in this network namespace, in this
// process or another, is given until release is called.
func Reserve() (port int, release func()) {
	for {
		port := 20000 + rand.IntN(12000) // connections are given others: ip_local_port_range
		// A name that ends with the process.
		mark, err := net.Listen("unix", fmt.Sprintf("@unpipc-port-%d", port))
		if err != nil {
			continue
		}
		if !free(port) {
			_ = mark.Close()
			continue
		}
		return port, func() { _ = mark.Close() }
	}
}

// free says whether nobody listens there. A child that is started meanwhile would have the
// socket, and listen, until its exec.
func free(port int) bool {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	at := fmt.Sprintf("127.0.0.1:%d", port)
	l, err := net.Listen("tcp4", at)
	if err != nil || l.Close() != nil {
		return false
	}
	u, err := net.ListenPacket("udp4", at)
	return err == nil && u.Close() == nil
}
