package sunrpc_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

// words are XDR unsigned integers.
func words(values ...uint32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// callMessage is a call of version 2 without credentials.
func callMessage(xid, proc uint32, args ...uint32) []byte {
	return append(words(xid, 0, 2, calc.V2.Number, calc.V2.Version, proc, 0, 0, 0, 0), words(args...)...)
}

const lastFragment = 1 << 31

// record is a message as one fragment.
func record(message []byte) []byte {
	return append(words(lastFragment|uint32(len(message))), message...)
}

// fragments is a message in fragments of size bytes.
func fragments(message []byte, size int) []byte {
	var b []byte
	for len(message) > size {
		b = append(append(b, words(uint32(size))...), message[:size]...)
		message = message[size:]
	}
	return append(b, record(message)...)
}

// reply reads an answer: an accepted one's status and what comes behind it.
func reply(t *testing.T, conn net.Conn) (xid uint32, rest []byte) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	mark := make([]byte, 4)
	_, err := io.ReadFull(conn, mark)
	require.NoError(t, err)
	n := binary.BigEndian.Uint32(mark)
	require.NotZero(t, n&lastFragment)
	message := make([]byte, n&^lastFragment)
	_, err = io.ReadFull(conn, message)
	require.NoError(t, err)
	return binary.BigEndian.Uint32(message), message[4:]
}

func (s *serving) raw(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial(s.addr.Network(), s.addr.String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// sum is the answer of version 2: accepted, no verifier, success, CALC_OK, the value.
func sum(n uint32) []byte { return words(1, 0, 0, 0, 0, 0, n) }

func TestARecordMayComeInAnyFragmentsAndManyAtOnce(t *testing.T) {
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
	message := callMessage(7, 1, 5, 3)
	for name, bytes := range map[string][]byte{
		"one fragment":              record(message),
		"fragments of four bytes":   fragments(message, 4),
		"fragments of seven bytes":  fragments(message, 7),
		"an empty fragment first":   append(words(0), record(message)...),
		"an empty fragment at last": append(append(words(uint32(len(message))), message...), words(lastFragment)...),
	} {
		t.Run(name, func(t *testing.T) {
			conn := s.raw(t)
			_, err := conn.Write(bytes)
			require.NoError(t, err)
			xid, rest := reply(t, conn)
			assert.EqualValues(t, 7, xid)
			assert.Equal(t, sum(8), rest)
		})
	}
	t.Run("many at once, in pieces", func(t *testing.T) {
		conn := s.raw(t)
		var all []byte
		for i := range uint32(100) {
			message := callMessage(i, 1, i, i)
			if i%10 == 9 { // words behind the arguments do not count
				message = append(message, make([]byte, 3000*i)...)
				all = append(all, fragments(message, 9000)...)
				continue
			}
			all = append(all, fragments(message, 13)...)
		}
		var writing sync.WaitGroup
		defer writing.Wait()
		writing.Go(func() {
			for len(all) > 0 {
				n := min(len(all), 101+len(all)/100)
				_, err := conn.Write(all[:n])
				assert.NoError(t, err)
				all = all[n:]
			}
		})
		for i := range uint32(100) {
			xid, rest := reply(t, conn)
			require.Equal(t, i, xid)
			require.Equal(t, sum(2*i), rest)
		}
	})
}

func TestWhatIsRefusedIsSaidAsTheRFCHasIt(t *testing.T) {
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
	conn := s.raw(t)
	withVersion := func(rpc, program, version uint32) []byte {
		m := callMessage(9, 1, 5, 3)
		binary.BigEndian.PutUint32(m[8:], rpc)
		binary.BigEndian.PutUint32(m[12:], program)
		binary.BigEndian.PutUint32(m[16:], version)
		return m
	}
	withSys := func(body ...uint32) []byte {
		m := callMessage(9, 1, 5, 3)
		credential := words(append([]uint32{1, uint32(len(body) * 4)}, body...)...)
		return append(append(append([]byte(nil), m[:24]...), credential...), m[32:]...)
	}
	withFlavor := func(flavor uint32) []byte {
		m := callMessage(9, 1, 5, 3)
		binary.BigEndian.PutUint32(m[24:], flavor)
		return m
	}
	for _, c := range []struct {
		name    string
		message []byte
		want    []byte
	}{
		{"another version of RPC", withVersion(3, calc.V2.Number, 2), words(1, 0, 2, 2)},
		{"another program", withVersion(2, 99, 2), words(0, 0, 0, 1)},
		{"another version of the program", withVersion(2, calc.V2.Number, 7), words(0, 0, 0, 2, 1, 2)},
		{"a procedure that is not there", callMessage(9, 77), words(0, 0, 0, 3)},
		{"too few arguments", callMessage(9, 1, 5), words(0, 0, 0, 4)},
		{"an array that is too long", callMessage(9, 6, 257), words(0, 0, 0, 4)},
		{"an array that ends early", callMessage(9, 6, 3, 0, 1), words(0, 0, 0, 4)},
		{"a union with another arm", callMessage(9, 6, 1, 5, 5), words(0, 0, 0, 4)},
		{"a flavor that nobody knows", withFlavor(77), words(1, 1, 2)},
		{"AUTH_SYS with an empty body", withFlavor(1), words(1, 1, 1)},
		{"AUTH_SYS with a name that is too long", withSys(1, 256, 'x'<<24, 7, 8, 0), words(1, 1, 1)},
		{"AUTH_SYS that ends within the name", withSys(1, 8, 'x'<<24, 7, 8, 0), words(1, 1, 1)},
		{"AUTH_SYS that ends within the groups", withSys(1, 1, 'x'<<24, 7, 8, 2, 9), words(1, 1, 1)},
		{"AUTH_SYS with 17 groups", withSys(append([]uint32{1, 0, 7, 8, 17}, make([]uint32, 17)...)...), words(1, 1, 1)},
		{"AUTH_SYS that is sound", withSys(1, 1, 'x'<<24, 7, 8, 2, 9, 10), sum(8)[4:]},
		{"AUTH_DES, which nobody has plugged in", withFlavor(3), words(1, 1, 7)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := conn.Write(record(c.message))
			require.NoError(t, err)
			xid, rest := reply(t, conn)
			assert.EqualValues(t, 9, xid)
			assert.Equal(t, append(words(1), c.want...), rest)
		})
	}
	_, err := conn.Write(record(callMessage(10, 1, 20, 22)))
	require.NoError(t, err)
	_, rest := reply(t, conn)
	assert.Equal(t, sum(42), rest, "the connection is in order")
}

// endings collects what a server says of connections that ended badly.
type endings chan error

func (e endings) next(t *testing.T) error {
	t.Helper()
	select {
	case err := <-e:
		return err
	case <-time.After(patience):
		t.Fatal("no connection has ended")
		return nil
	}
}

func watched(o sunrpc.ServerOptions) (sunrpc.ServerOptions, endings) {
	e := make(endings, 1000)
	o.Ended = func(_ net.Addr, err error) { e <- err }
	return o, e
}

func TestAHostilePeerIsShutOutAndStopsNobody(t *testing.T) {
	half := record(callMessage(1, 1, 5, 3))[:20]
	for _, c := range []struct {
		name  string
		sends func(conn net.Conn)
		want  error
	}{
		{"half a record, and silence", func(conn net.Conn) { conn.Write(half) }, unix.ETIMEDOUT},
		{"half a mark, and silence", func(conn net.Conn) { conn.Write(half[:2]) }, unix.ETIMEDOUT},
		{"only a mark", func(conn net.Conn) { conn.Write(half[:4]) }, unix.ETIMEDOUT},
		{"a byte now and then", func(conn net.Conn) {
			for _, b := range record(make([]byte, 4000)) {
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		}, unix.ETIMEDOUT},
		{"half a record, and the end", func(conn net.Conn) { conn.Write(half); conn.Close() }, unix.ECONNABORTED},
		{"a record of a gigabyte", func(conn net.Conn) { conn.Write(words(lastFragment | 1<<30)) }, unix.EMSGSIZE},
		{"a record that grows too long by fragments", func(conn net.Conn) {
			for range 20 {
				conn.Write(append(words(1000), make([]byte, 1000)...))
			}
		}, unix.EMSGSIZE},
		{"fragments of nothing, without end", func(conn net.Conn) { conn.Write(make([]byte, 4000)) }, unix.EBADMSG},
		{"noise", func(conn net.Conn) { conn.Write(record([]byte("GET / HTTP/1.0\r\n\r\nHost: me, of course, who else"))) }, unix.EBADMSG},
		{"an empty record", func(conn net.Conn) { conn.Write(words(lastFragment)) }, unix.EBADMSG},
		{"a reply", func(conn net.Conn) { conn.Write(record(words(1, 1, 0, 0, 0, 0))) }, unix.EBADMSG},
		{"a credential of 401 bytes", func(conn net.Conn) {
			conn.Write(record(append(words(1, 0, 2, calc.V2.Number, 2, 1, 1, 401), make([]byte, 404)...)))
		}, unix.EBADMSG},
		{"calls whose answers it does not take", func(conn net.Conn) {
			calls := record(callMessage(1, 1, 5, 3))
			for range 12 {
				calls = append(calls, calls...)
			}
			for {
				if _, err := conn.Write(calls); err != nil {
					return
				}
			}
		}, unix.ETIMEDOUT},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Only what is to take too long may do so, however busy the machine.
			recordTimeout := time.Hour
			if c.want == unix.ETIMEDOUT {
				recordTimeout = 300 * time.Millisecond
			}
			options, ended := watched(sunrpc.ServerOptions{MaxRecord: 10_000, RecordTimeout: recordTimeout})
			s := start(t, "tcp", &calculator{}, options)
			other := calc.NewClient(s.dial(t, sunrpc.Options{Timeout: patience}), 2)
			conn := s.raw(t)
			var sending sync.WaitGroup
			sending.Go(func() { c.sends(conn) })
			for i := range int32(20) {
				n, err := other.Apply(background, calc.Add, i, 1)
				require.NoError(t, err)
				require.Equal(t, i+1, n)
			}
			err := ended.next(t)
			assert.ErrorIs(t, err, c.want)
			conn.Close()
			sending.Wait()
			_, err = other.Apply(background, calc.Add, 1, 1)
			require.NoError(t, err)
		})
	}
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	options, ended := watched(sunrpc.ServerOptions{IdleTimeout: 50 * time.Millisecond})
	s := start(t, "tcp", &calculator{}, options)
	conn := s.raw(t)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	_, err := conn.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	assert.ErrorIs(t, ended.next(t), unix.ETIMEDOUT)
}

func TestConnectionsBeyondTheLimitAreClosedAtOnce(t *testing.T) {
	options, ended := watched(sunrpc.ServerOptions{MaxConns: 2})
	s := start(t, "tcp", &calculator{}, options)
	first, second := s.dial(t, sunrpc.Options{}), s.dial(t, sunrpc.Options{})
	require.NoError(t, first.Null(background))
	require.NoError(t, second.Null(background))
	third := s.raw(t)
	require.NoError(t, third.SetReadDeadline(time.Now().Add(patience)))
	_, err := third.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	assert.ErrorIs(t, ended.next(t), unix.EUSERS)

	require.NoError(t, first.Close())
	for deadline := time.Now().Add(patience); ; {
		c := s.dial(t, sunrpc.Options{})
		if err = c.Null(background); err == nil || time.Now().After(deadline) {
			break
		}
	}
	assert.NoError(t, err, "there is room again")
	require.NoError(t, second.Null(background))
}

func TestALongRequestAndALongReplyAreWithinTheLimitOrRefused(t *testing.T) {
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{MaxRecord: 1000})
	c := s.dial(t, sunrpc.Options{})
	long := make([]calc.Token, calc.MaxTokens)
	_, err := calc.NewClient(c, 2).Evaluate(background, long)
	assert.ErrorIs(t, err, sunrpc.CantReceive, "2,048 bytes: the connection is closed")
	_, err = calc.NewClient(c, 2).Evaluate(background, nil)
	assert.ErrorIs(t, err, sunrpc.ErrBroken)

	_, err = calc.NewClient(s.dial(t, sunrpc.Options{}), 2).Evaluate(background, append(long, calc.Token{}))
	assert.ErrorIs(t, err, sunrpc.CantEncodeArgs, "longer than calc.x allows")
}

func TestNoiseOverUDPIsIgnored(t *testing.T) {
	s := start(t, "udp", &calculator{}, sunrpc.ServerOptions{DatagramThreads: 1})
	conn := s.raw(t)
	for _, noise := range [][]byte{nil, {1}, []byte("what is this"), bytes.Repeat([]byte{255}, 60_000), callMessage(1, 1, 5)[:30], words(1, 1, 0, 0, 0, 0)} {
		_, err := conn.Write(noise)
		require.NoError(t, err)
	}
	n, err := calc.NewClient(s.dial(t, sunrpc.Options{}), 2).Apply(background, calc.Add, 1, 2)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	_, err = conn.Write(callMessage(5, 1, 2, 2))
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	answer := make([]byte, 100)
	size, err := conn.Read(answer)
	require.NoError(t, err)
	assert.Equal(t, append(words(5), sum(4)...), answer[:size])
}

func TestAnAnswerOverUDPComesFromTheAddressThatWasAsked(t *testing.T) {
	s := &serving{Server: sunrpc.NewServer(sunrpc.ServerOptions{})}
	calc.Handle(s.Server, &calculator{})
	addr, err := s.Listen("udp4", ":0")
	require.NoError(t, err)
	s.addr = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 77), Port: addr.(*net.UDPAddr).Port}
	s.run(t)
	assert.NoError(t, s.dial(t, sunrpc.Options{}).Null(background))
}
