package p16rpccalc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/calc"
	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/ports"
	"unpipc/projects/internal/programs"
)

func TestPrograms(t *testing.T) {
	built := programs.Build(t, "p16rpccalc")
	for language, bin := range map[string]string{"Go": built.Go, "C": built.C} {
		t.Run("stalled clients stop nobody, server in "+language, func(t *testing.T) { testStalled(t, bin) })
		t.Run("results agree with the server in "+language, func(t *testing.T) { testAgreement(t, bin) })
		t.Run("without rpcbind both sides say so, in "+language, func(t *testing.T) { testWithoutRpcbind(t, bin) })
		t.Run("twenty calls at once over UDP, server in "+language, func(t *testing.T) { testDatagrams(t, bin) })
	}
	t.Run("every variant of a row is measured and verified", func(t *testing.T) { testRows(t, built) })
	t.Run("each failure has its own message, the same in both languages", func(t *testing.T) { testMessages(t, built) })
}

// server starts a server for TCP and UDP at a port of its own, until the end of the test.
func server(t *testing.T, bin string, flags ...string) int {
	t.Helper()
	port, release := ports.Reserve()
	t.Cleanup(release)
	args := append([]string{"--bind", "127.0.0.1", "--port", strconv.Itoa(port)}, flags...)
	cmd := exec.Command(filepath.Join(bin, "calc_server"), args...)
	s := ipctest.Start(t, cmd)
	require.Contains(t, s.Line(), "Serving program 0x31230000 at tcp port ")
	require.Contains(t, s.Line(), "Serving program 0x31230000 at udp port ")
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(unix.SIGTERM))
		assert.Empty(t, s.Rest())
	})
	return port
}

func target(port int, network string) Target {
	return Target{Host: "127.0.0.1", Network: network, Port: port, Program: calc.V2, Timeout: 30 * time.Second}
}

func parsed(t *testing.T, text string) Question {
	t.Helper()
	q, err := Parse(strings.Fields(text))
	require.NoError(t, err)
	return q
}

// record is the call ADD(5, 3) of version 1.
func record() []byte {
	return words(1<<31|48, 7, 0, 2, calc.V1.Number, 1, 1, 0, 0, 0, 0, 5, 3)
}

func words(list ...uint32) (b []byte) {
	for _, w := range list {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

func testStalled(t *testing.T, bin string) {
	port := server(t, bin)
	call := record()
	stalled := make([]net.Conn, 100)
	for i := range stalled {
		c, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write(call[:1+i%(len(call)-1)])
		require.NoError(t, err)
		stalled[i] = c
	}
	figures, err := Load(target(port, "tcp"), parsed(t, "multiply -7 6"), 2000, 200, -42)
	require.NoError(t, err)
	assert.EqualValues(t, 2000, figures.Calls)
	for i, c := range stalled {
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
		_, err := c.Write(call[1+i%(len(call)-1):])
		require.NoError(t, err)
		reply := make([]byte, 32)
		_, err = io.ReadFull(c, reply)
		require.NoError(t, err)
		assert.Equal(t, words(1<<31|28, 7, 1, 0, 0, 0, 0, 8), reply)
	}
}

func testAgreement(t *testing.T, bin string) {
	c, err := Dial(target(server(t, bin), "tcp"))
	require.NoError(t, err)
	defer c.Close()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		op, a, b := operations[rng.IntN(len(operations))], operand(rng), operand(rng)
		want, wantErr := apply(op, a, b)
		got, err := c.calc.Apply(t.Context(), op, a, b)
		require.Equal(t, wantErr, err, "%v %d %d", op, a, b)
		require.Equal(t, want, got, "%v %d %d", op, a, b)
	}
	for range 1000 {
		expression := make([]calc.Token, rng.IntN(12))
		for i := range expression {
			expression[i].Number = operand(rng)
			if rng.IntN(2) == 0 && i > 1 {
				expression[i] = calc.Token{Operation: calc.Operation(1 + rng.IntN(6))}
			}
		}
		want, wantErr := evaluate(expression)
		got, err := c.calc.Evaluate(t.Context(), expression)
		require.Equal(t, wantErr, err, "%v", expression)
		require.Equal(t, want, got, "%v", expression)
	}
}

func testDatagrams(t *testing.T, bin string) {
	figures, err := Load(target(server(t, bin), "udp"), parsed(t, "add 5 3"), 400, 20, 8)
	require.NoError(t, err)
	assert.EqualValues(t, 400, figures.Calls)
}

// impostor answers each call with what reply makes of it, and ends the connection where
// that is nothing. It returns its port.
func impostor(t *testing.T, reply func(call []byte) []byte) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serveOnce(c, reply)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func serveOnce(c net.Conn, reply func(call []byte) []byte) {
	defer c.Close()
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		return
	}
	call := make([]byte, binary.BigEndian.Uint32(head)&^(1<<31))
	if _, err := io.ReadFull(c, call); err != nil {
		return
	}
	_, _ = c.Write(reply(call))
	_, _ = io.Copy(io.Discard, io.LimitReader(c, int64(len(reply(nil)))))
}

func TestAServerThatTricklesDoesNotKeepAClientWaiting(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		// The head of a long record, then a byte of it every 20 ms.
		for b := words(100_000); err == nil; b = []byte{0} {
			_, err = c.Write(b)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	c, err := Dial(target(l.Addr().(*net.TCPAddr).Port, "tcp"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = c.Ask(ctx, parsed(t, "add 5 3"))
	assert.ErrorContains(t, err, "no answer within")
	require.NoError(t, c.Close())
	require.NoError(t, l.Close())
	<-ended
}

// answer is a reply of these words behind the call's number.
func answer(list ...uint32) func(call []byte) []byte {
	return func(call []byte) []byte {
		if call == nil {
			return []byte{0} // the client is to end the connection
		}
		body := append(bytes.Clone(call[:4]), words(list...)...)
		return append(words(1<<31|uint32(len(body))), body...)
	}
}

var portNumber = regexp.MustCompile(`port \d+`)

func testMessages(t *testing.T, built *programs.Built) {
	port := func(reply func([]byte) []byte) string { return "--port " + strconv.Itoa(impostor(t, reply)) + " " }
	const accepted, denied = 0, 1
	free, release := ports.Reserve()
	defer release()
	said := map[string]string{}
	for _, failure := range []struct{ name, args, want string }{
		{"nobody is there", "--port " + strconv.Itoa(free) + " 127.0.0.1 add 5 3", "no server there: connection refused"},
		{"nobody takes the datagram", "--transport udp --port " + strconv.Itoa(free) + " 127.0.0.1 add 5 3", "nobody listens there"},
		{"no socket", "--transport unix --path /nonexistent/calc.sock 127.0.0.1 add 5 3", "/nonexistent/calc.sock: no server there"},
		{"the connection ends", port(func([]byte) []byte { return nil }) + "127.0.0.1 add 5 3", "the server ended the connection"},
		{"no answer", port(func(call []byte) []byte {
			if call == nil {
				return []byte{0}
			}
			return nil
		}) + "--timeout 1 127.0.0.1 add 5 3", "no answer within 1 s"},
		{"no such program", port(answer(1, accepted, 0, 0, 1)) + "127.0.0.1 add 5 3", "not of program 0x31230000"},
		{"no such version", port(answer(1, accepted, 0, 0, 2, 3, 4)) + "127.0.0.1 add 5 3", "has versions 3 to 4, not 2"},
		{"no such procedure", port(answer(1, accepted, 0, 0, 3)) + "127.0.0.1 add 5 3", "version 2 of program 0x31230000 has no procedure add"},
		{"arguments not understood", port(answer(1, accepted, 0, 0, 4)) + "127.0.0.1 add 5 3", "cannot decode the arguments"},
		{"the server fails", port(answer(1, accepted, 0, 0, 5)) + "127.0.0.1 add 5 3", "the server failed"},
		{"version 1 has no result", port(answer(1, accepted, 0, 0, 5)) + "--vers 1 127.0.0.1 add 5 3", "in version 1 that may be an overflow"},
		{"credentials refused", port(answer(1, denied, 1, 5)) + "127.0.0.1 add 5 3", "wants other credentials"},
		{"another RPC", port(answer(1, denied, 0, 3, 3)) + "127.0.0.1 add 5 3", "another version of RPC"},
		{"the result is cut off", port(answer(1, accepted, 0, 0, 0, 0)) + "127.0.0.1 add 5 3", "not what calc.x says"},
		{"overflow", port(answer(1, accepted, 0, 0, 0, 1)) + "127.0.0.1 add 5 3", "add 5 3: overflow"},
		{"division by zero", port(answer(1, accepted, 0, 0, 0, 2)) + "127.0.0.1 add 5 3", "add 5 3: division by zero"},
		{"no expression", port(answer(1, accepted, 0, 0, 0, 3)) + "127.0.0.1 add 5 3", "add 5 3: not an expression"},
		{"a status of the future", port(answer(1, accepted, 0, 0, 0, 99)) + "127.0.0.1 add 5 3", "add 5 3: the server says 99"},
	} {
		var messages []string
		for _, bin := range []string{built.Go, built.C} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, filepath.Join(bin, "calc_client"), strings.Fields(failure.args)...)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.True(t, errors.As(err, &exit), "%s: %v", failure.name, err)
			assert.Equal(t, 1, exit.ExitCode(), "%s: %s", failure.name, out)
			messages = append(messages, portNumber.ReplaceAllString(strings.ToLower(string(out)), "port N"))
		}
		assert.Contains(t, messages[0], "calc_client: ", failure.name)
		assert.Contains(t, messages[0], strings.ToLower(failure.want), failure.name)
		assert.Equal(t, messages[0], messages[1], "%s: Go and C", failure.name)
		assert.Empty(t, said[messages[0]], "%s has the message of another failure", failure.name)
		said[messages[0]] = failure.name
	}
}
