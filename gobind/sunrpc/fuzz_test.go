package sunrpc_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
	"unpipc/gobind/sunrpc/recordtest"
	"unpipc/gobind/sunrpc/servetest"
)

// sysCredential is AUTH_SYS with two groups.
var sysCredential = words(1, 28+4, 1, 1, 'x'<<24, 7, 8, 2, 9, 10)

// messages are calls of every kind, sound and not.
func messages() [][]byte {
	sys := callMessage(3, 1, 5, 3)
	sys = append(append(append([]byte(nil), sys[:24]...), sysCredential...), sys[32:]...)
	plugged := callMessage(4, 1, 5, 3)
	binary.BigEndian.PutUint32(plugged[24:], countingFlavor)
	gss := callMessage(5, 0)
	gss = append(append(append([]byte(nil), gss[:24]...), words(6, 20, 1, 1, 0, 1, 0)...), gss[32:]...)
	return [][]byte{
		callMessage(1, 0), callMessage(2, 1, 5, 3), sys, plugged, gss,
		callMessage(6, 6, 2, 0, 1, 1, 1), callMessage(7, 6, 300), callMessage(8, 6, 2, 7), callMessage(9, 99),
		callMessage(10, 1, 5)[:41], words(1, 1, 0), words(1, 0, 3), nil,
	}
}

// FuzzServer feeds a connection of a server: whatever comes, the server lives, answers with
// replies alone, and ends the connection after its end.
func FuzzServer(f *testing.F) {
	s := sunrpc.NewServer(sunrpc.ServerOptions{MaxRecord: 1 << 16})
	calc.Handle(s, &calculator{})
	s.Verify(countingFlavor, counts(1))
	addr := servetest.Start(f, s, "unix")

	var all []byte
	for _, m := range messages() {
		f.Add(record(m))
		f.Add(fragments(m, 5))
		all = append(all, record(m)...)
	}
	f.Add(all)
	f.Add(words(0, 0, 0, lastFragment|1<<30))
	f.Fuzz(func(t *testing.T, stream []byte) {
		answers := recordtest.Play(t, addr, stream)
		for len(answers) > 0 {
			require.GreaterOrEqual(t, len(answers), 12)
			mark := binary.BigEndian.Uint32(answers)
			require.NotZero(t, mark&lastFragment)
			n := int(mark &^ lastFragment)
			require.LessOrEqual(t, n, len(answers)-4)
			require.EqualValues(t, 1, binary.BigEndian.Uint32(answers[8:]), "a reply")
			answers = answers[4+n:]
		}
	})
}

// FuzzClient answers a call with noise: the client gets its answer or an error, and lives.
func FuzzClient(f *testing.F) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(f, err)
	f.Cleanup(func() { listener.Close() })
	f.Add(words(1, 0, 0, 0, 0, 0, 8))
	f.Add(words(1, 0, 0, 0, 0, 7))
	f.Add(words(1, 0, 0, 0, 2, 1, 9))
	f.Add(words(1, 1, 1, 5))
	f.Add(words(1, 1, 0, 2, 2))
	f.Add(words(1, 0, 1, 401))
	f.Add(words(0))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			conn, err := listener.Accept()
			if !assert.NoError(t, err) {
				return
			}
			defer conn.Close()
			call := make([]byte, 4+len(callMessage(0, 1, 5, 3)))
			if _, err := io.ReadFull(conn, call); err == nil {
				conn.Write(record(append(append([]byte(nil), call[4:8]...), body...)))
			}
		}()
		c, err := sunrpc.Dial(background, "tcp", listener.Addr().String(), calc.V2, sunrpc.Options{Timeout: time.Minute})
		require.NoError(t, err)
		defer c.Close()
		n, err := calc.NewClient(c, 2).Apply(background, calc.Add, 5, 3)
		<-answered
		if err == nil && len(body) == 28 {
			assert.EqualValues(t, binary.BigEndian.Uint32(body[24:]), uint32(n))
		}
	})
}
