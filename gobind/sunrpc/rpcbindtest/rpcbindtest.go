// Package rpcbindtest gives a test the real rpcbind, reachable on this host alone.
package rpcbindtest

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sunrpc"
)

// Start runs rpcbind until the end of the test; [sunrpc.LocalRpcbind] is it.
//
// In a network of the tests' own (see [ipctest.Main]) it is started as it is on any host,
// in a /run of its own. Elsewhere it gets sockets that are bound to loopback, as systemd
// would hand them over, and other test processes wait for their turn; where the host has an
// rpcbind, that is used. It needs root.
func Start(t testing.TB) {
	t.Helper()
	ipctest.Require(t, os.Geteuid() == 0, "root, for rpcbind")
	if ipctest.Isolated() {
		ownRun(t)
		run(t, exec.Command("rpcbind", "-f"))
		return
	}
	Lock(t)
	if sunrpc.LocalRpcbind.Ping(context.Background()) == nil {
		return
	}
	// LISTEN_PID must be the number of the process itself: sd_listen_fds(3).
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec rpcbind -f`)
	cmd.ExtraFiles = loopback(t)
	cmd.Env = append(os.Environ(), "LISTEN_FDS="+strconv.Itoa(len(cmd.ExtraFiles)))
	run(t, cmd)
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
}

// ownRun hides /run, in the mount namespace of the tests.
var ownRun = func() func(testing.TB) {
	var once sync.Once
	return func(t testing.TB) {
		once.Do(func() {
			if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
				t.Fatalf("mount /run: %v", err)
			}
		})
	}
}()

// Lock keeps other test processes from starting an rpcbind until the end of the test.
func Lock(t testing.TB) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(os.TempDir(), "unpipc-rpcbind.lock"), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// run starts rpcbind and waits until it answers.
func run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "rpcbind"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		os.Remove(sunrpc.LocalRpcbind.Addr)
		os.Remove("/run/rpcbind.lock")
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		err := errors.Join(sunrpc.LocalRpcbind.Ping(context.Background()), sunrpc.RpcbindOf("127.0.0.1").Ping(context.Background()))
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("rpcbind does not answer: %v\n%s", err, said)
		}
	}
}

// loopback makes the sockets that systemd would make, where all may ask and none from
// elsewhere: the Unix domain socket, and port 111 of each family that there is.
func loopback(t testing.TB) []*os.File {
	t.Helper()
	os.Remove(sunrpc.LocalRpcbind.Addr)
	var files []*os.File
	add := func(l interface{ File() (*os.File, error) }, err error) {
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	local, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: sunrpc.LocalRpcbind.Addr})
	add(local, err)
	local.SetUnlinkOnClose(false)
	local.Close()
	if err := os.Chmod(sunrpc.LocalRpcbind.Addr, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, ip := range []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback} {
		tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip, Port: 111})
		if errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT) {
			continue // a host without IPv6
		}
		add(tcp, err)
		tcp.Close()
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: 111})
		add(udp, err)
		udp.Close()
	}
	return files
}
