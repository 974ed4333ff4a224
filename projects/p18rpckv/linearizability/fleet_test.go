package linearizability_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/kvrpc"
	"unpipc/projects/internal/ports"
	"unpipc/projects/internal/programs"
	"unpipc/projects/p18rpckv"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// patience bounds hanging only.
const patience = 2 * time.Minute

// fleet is a cluster of three servers, each a process.
type fleet struct {
	t       *testing.T
	program string
	apart   bool // each server has a network of its own, joined by cables
	servers []*server
}

type server struct {
	*fleet
	id   int
	addr string
	data string
	cmd  *exec.Cmd // nil: it was killed
	told ipctest.Log
}

// startFleet starts a cluster. apart: of servers whose cables can be cut; where this process
// cannot have networks of its own it logs why, and the fleet's apart is false.
func startFleet(t *testing.T, apart bool) *fleet {
	t.Helper()
	f := &fleet{t: t, program: filepath.Join(programs.Build(t, "p18rpckv").Go, "kv_server")}
	if apart {
		err := f.hub()
		if f.apart = err == nil; !f.apart {
			t.Logf("the servers have no cables that can be cut: %v", err)
		}
	}
	for id := 1; id <= 3; id++ {
		s := &server{fleet: f, id: id, data: filepath.Join(t.TempDir(), "data"), addr: fmt.Sprintf("10.77.0.1%d:9001", id)}
		if !f.apart {
			s.addr = vacant(t)
		}
		f.servers = append(f.servers, s)
	}
	for _, s := range f.servers {
		s.start()
		t.Cleanup(func() {
			s.kill()
			if t.Failed() {
				t.Logf("server %d:\n%s", s.id, s.told.String())
			}
		})
	}
	for _, s := range f.servers {
		s.ready()
	}
	return f
}

// vacant is an address that nobody listens at.
func vacant(t *testing.T) string {
	port, release := ports.Reserve()
	t.Cleanup(release)
	return fmt.Sprint("localhost:", port)
}

func (f *fleet) addrs() (all []string) {
	for _, s := range f.servers {
		all = append(all, s.addr)
	}
	return all
}

// hub makes what joins the servers' networks, or says why this process cannot.
func (f *fleet) hub() error {
	f.t.Helper()
	if !ipctest.Isolated() {
		return errors.New("the test has no private namespaces")
	}
	if err := f.lay("link", "add", "kvhub", "type", "bridge"); err != nil {
		return err
	}
	f.t.Cleanup(func() { f.ip("link", "del", "kvhub") })
	f.ip("addr", "add", "10.77.0.1/24", "dev", "kvhub")
	f.ip("link", "set", "kvhub", "up")
	return nil
}

// lay runs ip(8).
func (f *fleet) lay(args ...string) error {
	text, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w %s", strings.Join(args, " "), err, bytes.TrimSpace(text))
	}
	return nil
}

func (f *fleet) ip(args ...string) {
	f.t.Helper()
	require.NoError(f.t, f.lay(args...))
}

// start starts a server. One with a network of its own waits for its cable.
func (s *server) start() {
	s.t.Helper()
	host, port, err := net.SplitHostPort(s.addr)
	require.NoError(s.t, err)
	var peers []string
	for _, other := range s.servers {
		if other != s {
			peers = append(peers, other.addr)
		}
	}
	args := []string{
		"--id", strconv.Itoa(s.id), "--port", port, "--host", host, "--data", s.data, "--cache", "0", "--snapshots", "100",
		"--peers", strings.Join(peers, ","),
	}
	if s.apart {
		args = append(args, "--listen", host)
	}
	s.cmd = exec.Command("sh", append([]string{"-c", `read go; exec "$@"`, "sh", s.program}, args...)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.told, &s.told
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if s.apart {
		s.cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNET
	}
	stdin, err := s.cmd.StdinPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, s.cmd.Start())
	if s.apart {
		s.plug(host)
	}
	_, err = io.WriteString(stdin, "go\n")
	require.NoError(s.t, err)
	require.NoError(s.t, stdin.Close())
}

// plug lays the cable between the server's network and the hub.
func (s *server) plug(host string) {
	s.t.Helper()
	there := fmt.Sprintf("kvend%d", s.id)
	pid := strconv.Itoa(s.cmd.Process.Pid)
	s.ip("link", "add", s.cable(), "type", "veth", "peer", "name", there, "netns", pid)
	for _, args := range [][]string{{"addr", "add", host + "/24", "dev", there}, {"link", "set", there, "up"}, {"link", "set", "lo", "up"}} {
		text, err := exec.Command("nsenter", append([]string{"-t", pid, "-n", "ip"}, args...)...).CombinedOutput()
		require.NoError(s.t, err, "%v: %s", args, text)
	}
	s.ip("link", "set", s.cable(), "master", "kvhub", "up")
}

func (s *server) cable() string { return fmt.Sprintf("kvcable%d", s.id) }

// ready waits until the server serves.
func (s *server) ready() {
	s.t.Helper()
	c := p18rpckv.NewClient([]string{s.addr})
	defer func() { assert.NoError(s.t, c.Close()) }()
	ipctest.Eventually(s.t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		state, err := c.State(ctx)
		return err == nil && state.Leader != ""
	}, fmt.Sprintf("server %d knows a leader", s.id))
}

// leader is the server that leads, as it says itself.
func (f *fleet) leader() (l *server) {
	f.t.Helper()
	ipctest.Eventually(f.t, func() bool {
		for _, s := range f.servers {
			if state, err := s.state(); err == nil && state.Role == "leader" {
				l = s
				return true
			}
		}
		return false
	}, "a leader")
	return l
}

func (s *server) state() (kvrpc.State, error) {
	c := p18rpckv.NewClient([]string{s.addr})
	defer func() { assert.NoError(s.t, c.Close()) }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return c.State(ctx)
}

func (s *server) kill() {
	if s.cmd != nil {
		assert.NoError(s.t, s.cmd.Process.Kill())
		_ = s.cmd.Wait() // killed
		s.cmd = nil
		if s.apart {
			// It goes with the server's network, but that stays while the kernel has something
			// to send there. An error: it has gone.
			_ = s.lay("link", "del", s.cable())
		}
	}
}

func (s *server) signal(sig unix.Signal) {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(sig))
}

func (s *server) cut()  { s.ip("link", "set", s.cable(), "down") }
func (s *server) heal() { s.ip("link", "set", s.cable(), "up") }
