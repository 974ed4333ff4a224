package sunrpc_test

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
	"unpipc/gobind/sunrpc/rpcbindtest"
)

// mappingsOf are those of the calculator.
func mappingsOf(t *testing.T) []sunrpc.Mapping {
	all, err := sunrpc.LocalRpcbind.Dump(background)
	require.NoError(t, err)
	var ours []sunrpc.Mapping
	for _, m := range all {
		if m.Number == calc.V1.Number {
			ours = append(ours, m)
		}
	}
	return ours
}

func TestAServerIsFoundThroughRpcbindUntilItEnds(t *testing.T) {
	rpcbindtest.Start(t)
	s := &serving{Server: sunrpc.NewServer(sunrpc.ServerOptions{})}
	calc.Handle(s.Server, &calculator{})
	tcp, err := s.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	udp, err := s.Listen("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "s")
	_, err = s.Listen("unix", path)
	require.NoError(t, err)
	require.NoError(t, s.Register(background))
	s.run(t)

	assert.Len(t, mappingsOf(t), 6, "two versions on three networks")
	for netid, want := range map[string]int{"tcp": tcp.(*net.TCPAddr).Port, "udp": udp.(*net.UDPAddr).Port} {
		port, err := sunrpc.LocalRpcbind.GetPort(background, calc.V1, netid)
		require.NoError(t, err)
		assert.Equal(t, want, port)
	}
	addr, err := sunrpc.LocalRpcbind.GetAddr(background, calc.V2, "local")
	require.NoError(t, err)
	assert.Equal(t, path, addr)
	for _, m := range mappingsOf(t) {
		assert.Equal(t, "superuser", m.Owner)
	}
	for _, network := range []string{"tcp", "udp", "unix"} {
		c, err := sunrpc.DialHost(background, "127.0.0.1", network, calc.V2, sunrpc.Options{})
		require.NoError(t, err)
		n, err := calc.NewClient(c, 2).Apply(background, calc.Add, 20, 22)
		require.NoError(t, err)
		assert.EqualValues(t, 42, n)
		require.NoError(t, c.Close())
	}

	require.NoError(t, s.stop())
	assert.Empty(t, mappingsOf(t))
	_, err = sunrpc.DialHost(background, "127.0.0.1", "tcp", calc.V2, sunrpc.Options{})
	assert.ErrorIs(t, err, sunrpc.NotRegistered)
	assert.ErrorContains(t, err, "program 0x31230000 version 2: program not registered")
}

func TestAServerTakesThePlaceOfOneThatWasKilled(t *testing.T) {
	rpcbindtest.Start(t)
	stale := sunrpc.Mapping{Program: calc.V1, Netid: "tcp", Addr: "127.0.0.1.0.9"}
	require.NoError(t, sunrpc.LocalRpcbind.Set(background, stale))
	assert.ErrorIs(t, sunrpc.LocalRpcbind.Set(background, sunrpc.Mapping{Program: calc.V1, Netid: "tcp", Addr: "127.0.0.1.0.10"}),
		sunrpc.ErrRefused, "there is one")

	s := &serving{Server: sunrpc.NewServer(sunrpc.ServerOptions{})}
	calc.Handle(s.Server, &calculator{}, 1)
	addr, err := s.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, s.Register(background))
	s.run(t)
	require.Len(t, mappingsOf(t), 1)
	assert.Equal(t, addr.(*net.TCPAddr).Port, mappingsOf(t)[0].Port())
	require.NoError(t, s.stop())
	assert.Empty(t, mappingsOf(t))
	assert.NoError(t, sunrpc.LocalRpcbind.Unset(background, calc.V1, "tcp"), "there is none")
}

func TestASocketForBothFamiliesIsRegisteredForBoth(t *testing.T) {
	rpcbindtest.Start(t)
	s := sunrpc.NewServer(sunrpc.ServerOptions{})
	calc.Handle(s, &calculator{}, 1)
	for _, network := range []string{"tcp", "udp"} {
		_, err := s.Listen(network, ":0")
		require.NoError(t, err)
	}
	require.NoError(t, s.Register(background))
	var netids []string
	for _, m := range mappingsOf(t) {
		netids = append(netids, m.Netid)
		assert.Positive(t, m.Port())
	}
	assert.ElementsMatch(t, []string{"tcp", "tcp6", "udp", "udp6"}, netids)
	require.NoError(t, s.Close())
	assert.Empty(t, mappingsOf(t))
}

func TestRpcbindThatIsNotThereIsSaidSo(t *testing.T) {
	nowhere := sunrpc.Rpcbind{Network: "unix", Addr: filepath.Join(t.TempDir(), "none")}
	for what, err := range map[string]error{
		"ping":  nowhere.Ping(background),
		"set":   nowhere.Set(background, sunrpc.Mapping{Program: calc.V1, Netid: "tcp", Addr: "127.0.0.1.0.9"}),
		"unset": nowhere.Unset(background, calc.V1, "tcp"),
		"dump":  func() error { _, err := nowhere.Dump(background); return err }(),
		"addr":  func() error { _, err := nowhere.GetAddr(background, calc.V1, "local"); return err }(),
	} {
		assert.ErrorIs(t, err, sunrpc.BinderFailure, what)
		assert.ErrorIs(t, err, unix.ENOENT, what)
	}
}

func TestAQuestionToRpcbindEndsWithItsContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	ctx, cancel := context.WithCancel(background)
	go func() {
		conn, err := silent.Accept()
		if err == nil {
			conn.Read(make([]byte, 1))
			cancel()
			conn.Close()
		}
	}()
	_, err = sunrpc.Rpcbind{Network: "tcp", Addr: silent.Addr().String()}.Dump(ctx)
	assert.Equal(t, context.Canceled, err)
}
