package sunrpc_test

import (
	"bufio"
	"context"
	"math"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/calc"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sunrpc"
)

// peer is a C program over libtirpc alone.
func peer(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "libtirpc").Output()
	require.NoError(t, err)
	program := ipctest.CProgram(t, "testdata/calc_peer.c", append(strings.Fields(string(flags)), "-I../../capi")...)
	ctx, cancel := context.WithTimeout(background, 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	return cmd
}

// cServer is one in C, until the end of the test.
func cServer(t *testing.T, network string) *serving {
	t.Helper()
	addr := "0"
	if network == "unix" {
		addr = listenAddr(t, network)
	}
	cmd := peer(t, "server", network, addr)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	port, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	switch network {
	case "unix":
		return &serving{addr: &net.UnixAddr{Net: network, Name: addr}}
	case "udp":
		return &serving{addr: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}}
	}
	return &serving{addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}}
}

// goServer does what the one in C does.
func goServer(t *testing.T, network string) *serving {
	return start(t, network, &calculator{apply: func(r *sunrpc.Request, op calc.Operation, a, b int32) (int32, error) {
		switch {
		case r.Program() == calc.V1 && op == calc.Subtract:
			who, ok := r.Sys()
			if !ok {
				return 0, sunrpc.AuthTooWeak
			}
			return int32(who.UID)*1000 + int32(who.GID)*10 + int32(len(who.GIDs)), nil
		case r.Program() == calc.V1 && op == calc.Multiply:
			return 0, sunrpc.SystemError
		case int64(a)+int64(b) > math.MaxInt32:
			return 0, calc.Overflow
		}
		return a + b, nil
	}}, sunrpc.ServerOptions{})
}

func TestAClientInCIsAnsweredByBothServersAlike(t *testing.T) {
	for _, network := range []string{"tcp", "udp", "unix"} {
		for language, server := range map[string]*serving{"C": cServer(t, network), "Go": goServer(t, network)} {
			for flavor, who := range map[string]string{"none": "who refused: 5", "sys": "who 7082"} {
				t.Run(network+" "+flavor+" to "+language, func(t *testing.T) {
					addr := server.addr.String()
					if network != "unix" {
						_, addr, _ = net.SplitHostPort(addr)
					}
					out, err := peer(t, "client", network, addr, flavor).Output()
					require.NoError(t, err)
					assert.Equal(t, "add 8\n"+who+"\nerror status 12\nsum 32640\noverflow 1\nnine versions: 1 to 2\n", string(out))
				})
			}
		}
	}
}

func TestAClientInGoIsAnsweredByBothServersAlike(t *testing.T) {
	for _, network := range []string{"tcp", "udp", "unix"} {
		for language, server := range map[string]*serving{"C": cServer(t, network), "Go": goServer(t, network)} {
			t.Run(network+" to "+language, func(t *testing.T) {
				sys := sunrpc.AuthSys{Machine: "peer", UID: 7, GID: 8, GIDs: []uint32{11, 12}}
				v1 := calc.NewClient(server.dial(t, sunrpc.Options{Auth: sys}, calc.V1), 1)
				n, err := v1.Apply(background, calc.Add, 5, 3)
				require.NoError(t, err)
				assert.EqualValues(t, 8, n)
				n, err = v1.Apply(background, calc.Subtract, 5, 3)
				require.NoError(t, err)
				assert.EqualValues(t, 7082, n)
				_, err = v1.Apply(background, calc.Multiply, 5, 3)
				assert.ErrorIs(t, err, sunrpc.SystemError)
				_, err = calc.NewClient(server.dial(t, sunrpc.Options{Auth: sunrpc.AuthNone{}}, calc.V1), 1).Apply(background, calc.Subtract, 5, 3)
				assert.ErrorIs(t, err, sunrpc.AuthTooWeak)

				v2 := calc.NewClient(server.dial(t, sunrpc.Options{}), 2)
				long := make([]calc.Token, calc.MaxTokens)
				for i := range long {
					long[i].Number = int32(i)
				}
				n, err = v2.Evaluate(background, long)
				require.NoError(t, err)
				assert.EqualValues(t, 32640, n)
				_, err = v2.Apply(background, calc.Add, math.MaxInt32, 3)
				assert.Equal(t, calc.Overflow, err)
				err = server.dial(t, sunrpc.Options{}, sunrpc.Program{Number: calc.V1.Number, Version: 9}).Null(background)
				assert.ErrorIs(t, err, sunrpc.VersionMismatch)
				assert.ErrorContains(t, err, "the server has 1 to 2")
			})
		}
	}
}

// rpcinfo -a asks a server whose address is known, without any rpcbind.
func TestRpcinfoFindsTheServerReady(t *testing.T) {
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
	port := s.addr.(*net.TCPAddr).Port
	universal := "127.0.0.1." + strconv.Itoa(port>>8) + "." + strconv.Itoa(port&255)
	out, err := exec.Command("rpcinfo", "-a", universal, "-T", "tcp", "824377344", "1").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "ready and waiting")
}
