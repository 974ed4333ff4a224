// Package recordtest takes calls of Sun RPC down as bytes and plays bytes to servers, for
// tests of what a server makes of calls that are broken.
package recordtest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/sunrpc"
	"unpipc/gobind/sunrpc/servetest"
)

// Of is the record in which a call goes over a stream: its mark and its message.
func Of(t testing.TB, program sunrpc.Program, call func(sunrpc.Caller)) []byte {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	taken := make(chan []byte, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			taken <- nil
			return
		}
		defer conn.Close()
		var record []byte
		for last := false; !last; {
			mark := make([]byte, 4)
			if _, err := io.ReadFull(conn, mark); err != nil {
				break
			}
			n := binary.BigEndian.Uint32(mark)
			fragment := make([]byte, n&^lastFragment)
			if _, err := io.ReadFull(conn, fragment); err != nil {
				break
			}
			record = append(append(record, mark...), fragment...)
			last = n&lastFragment != 0
		}
		taken <- record
	}()
	client, err := sunrpc.Dial(context.Background(), "tcp", listener.Addr().String(), program, sunrpc.Options{})
	require.NoError(t, err)
	defer client.Close()
	call(client) // fails: the connection is closed without an answer
	record := <-taken
	require.NotEmpty(t, record)
	return record
}

// All are the records of calls: see [Of].
func All[C any](t testing.TB, program sunrpc.Program, client func(sunrpc.Caller) C, calls []servetest.Call[C]) [][]byte {
	t.Helper()
	var records [][]byte
	for _, call := range calls {
		records = append(records, Of(t, program, func(c sunrpc.Caller) {
			_, _, _, err := call(client(c))
			require.Error(t, err)
		}))
	}
	return records
}

// Serve serves a program at a Unix domain socket until the test ends, and returns what
// plays a stream of bytes to it: see [Play].
func Serve(t testing.TB, service sunrpc.Service) (play func(t testing.TB, stream []byte) []byte) {
	t.Helper()
	s := sunrpc.NewServer(sunrpc.ServerOptions{MaxRecord: 4 << 20})
	s.Handle(service)
	addr := servetest.Start(t, s, "unix")
	return func(t testing.TB, stream []byte) []byte {
		t.Helper()
		return Play(t, addr, stream)
	}
}

// Play sends a stream of bytes to a server at a Unix domain socket, and returns its answers
// up to its end of the connection.
func Play(t testing.TB, addr net.Addr, stream []byte) []byte {
	t.Helper()
	conn, err := net.Dial("unix", addr.String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = conn.Write(stream) // may fail: the server closes what is unsound
		_ = conn.(*net.UnixConn).CloseWrite()
	}()
	answers, err := io.ReadAll(conn)
	<-sent
	if ne, ok := err.(net.Error); ok {
		require.False(t, ne.Timeout(), "the server does not end the connection")
	}
	return answers
}

// AssertGarbage plays records to a service, and asserts that they are served as they are,
// and that broken in each of the ways they are garbage of which the server is not asked.
func AssertGarbage(t *testing.T, service sunrpc.Service, s *servetest.Scribe, records [][]byte, ways ...func(record []byte) []byte) {
	t.Helper()
	play := Serve(t, service)
	for i, record := range records {
		assert.Equal(t, Success, Accepted(play(t, record)), "call %d as it is", i)
		_ = s.Note("nothing since")
		for way, broken := range ways {
			assert.Equal(t, GarbageArgs, Accepted(play(t, broken(record))), "call %d broken in way %d", i, way)
			assert.Equal(t, []any{"nothing since"}, s.Asked(), "call %d broken in way %d", i, way)
		}
	}
}

// Seed gives a fuzz test records to begin with, as they are and broken.
func Seed(f *testing.F, records [][]byte) {
	for _, record := range records {
		f.Add(record)
		f.Add(CutShort(record))
		f.Add(Inflate(record))
	}
}

// What [Accepted] returns: enum accept_stat of RFC 5531.
const (
	Success     = 0
	GarbageArgs = 4
	None        = -1 // no answer, or that of a call that was refused
)

// Accepted is the status of the first answer.
func Accepted(answers []byte) int {
	if len(answers) < 28 || binary.BigEndian.Uint32(answers[12:]) != 0 {
		return None
	}
	return int(binary.BigEndian.Uint32(answers[24:]))
}

const (
	lastFragment = 1 << 31
	header       = 44 // bytes before the arguments of a call without credentials
)

// CutShort is a record without the last word of its arguments.
func CutShort(record []byte) []byte {
	short := append([]byte(nil), record[:len(record)-4]...)
	binary.BigEndian.PutUint32(short, lastFragment|uint32(len(short)-4))
	return short
}

// Inflate is a record in which each word of the arguments says that much follows.
func Inflate(record []byte) []byte {
	large := append([]byte(nil), record...)
	for i := header; i+4 <= len(large); i += 4 {
		binary.BigEndian.PutUint32(large[i:], 1<<30)
	}
	return large
}
