package p10sempool

import (
	"bufio"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/unixsock"
)

func TestAddressesAreReadOrRefused(t *testing.T) {
	for text, want := range map[string]string{
		"tcp://127.0.0.1:6379": "",
		"tcp://[::1]:6379":     "",
		"unix:///run/s":        "",
		"unix://s":             "absolute path",
		"udp://127.0.0.1:6379": "not \"udp",
		"tcp://127.0.0.1":      "not \"tcp",
		"tcp://:6379":          "not \"tcp",
		"tcp://h:70000":        "the port",
		"tcp://h:0":            "the port",
		"":                     "not \"\"",
	} {
		_, err := ParseBackend(text, "")
		if want == "" {
			assert.NoError(t, err, text)
		} else {
			assert.ErrorContains(t, err, want, text)
		}
	}
}

// echo answers every line with itself, until the test ends.
func echo(t *testing.T, network, address string) net.Addr {
	t.Helper()
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for lines := bufio.NewReader(c); ; {
					line, err := lines.ReadString('\n')
					if err != nil || line == "END\r\n" {
						return
					}
					if _, err := io.WriteString(c, line); err != nil {
						return
					}
				}
			}()
		}
	}()
	t.Cleanup(func() {
		assert.NoError(t, l.Close())
		<-ended
	})
	return l.Addr()
}

func TestConnectionsAreLookedAtBeforeTheyAreLent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for _, address := range []string{"tcp://" + echo(t, "tcp", "127.0.0.1:0").String(), "unix://" + echo(t, "unix", path).String()} {
		b, err := ParseBackend(address, "PING")
		require.NoError(t, err)
		require.NoError(t, b.resolve())
		fd, err := b.dial()
		require.NoError(t, err)
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		require.NoError(t, err)
		assert.Zero(t, flags&unix.O_NONBLOCK)
		ipcAsk := func(text string) (string, error) { return ask(fd, text, time.Now().Add(patient)) }
		line, err := ipcAsk("hello")
		require.NoError(t, err)
		assert.Equal(t, "hello", line)

		b.ping = ""
		assert.NoError(t, b.broken(fd))
		_, err = unix.Write(fd, []byte("unread\r\n"))
		require.NoError(t, err)
		require.NoError(t, pollUntil(fd, unix.POLLIN, time.Now().Add(patient)))
		assert.ErrorContains(t, b.broken(fd), "unread data")
		drop(fd)

		fd, err = b.dial()
		require.NoError(t, err)
		_, err = ipcAsk("END")
		assert.True(t, errors.Is(err, errClosed) || errors.Is(err, unix.ECONNRESET), "%v", err)
		assert.Error(t, b.broken(fd))
		drop(fd)
	}
}

func TestAServerThatDoesNotAnswerIsBroken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	b, err := ParseBackend("tcp://"+l.Addr().String(), "PING")
	require.NoError(t, err)
	require.NoError(t, b.resolve())
	fd, err := b.dial()
	require.NoError(t, err)
	defer drop(fd)
	assert.ErrorContains(t, b.broken(fd), "no answer to --ping")
	require.NoError(t, l.Close())
	_, err = b.dial()
	assert.ErrorIs(t, err, unix.ECONNREFUSED)
	assert.ErrorContains(t, err, "connect tcp://127.0.0.1:")
}

func TestAConnectionIsLentOnlyToWhoHoldsIt(t *testing.T) {
	b, err := ParseBackend("tcp://"+echo(t, "tcp", "127.0.0.1:0").String(), "")
	require.NoError(t, err)
	require.NoError(t, b.resolve())
	c := newPool(t, 2)
	l, err := newLender(c.pool, b, io.Discard)
	require.NoError(t, err)
	defer l.close()
	w := join(t, c.name, 1)
	require.NoError(t, w.Acquire(patient))

	client, err := unixsock.Dial(unixsock.SeqPacket, l.listener.Addr())
	require.NoError(t, err)
	defer client.Close()
	l.accept()
	require.Len(t, l.clients, 1)
	right := request{lendMagic, uint32(w.index), w.slot, w.serial}
	for what, change := range map[string]func(r *request){
		"another connection":  func(r *request) { r.slot = 1 },
		"no such connection":  func(r *request) { r.slot = 2 },
		"another worker":      func(r *request) { r.entry++ },
		"no such worker":      func(r *request) { r.entry = maxEntries },
		"an earlier worker":   func(r *request) { r.serial-- },
		"what is no request":  func(r *request) { r.magic[0]++ },
		"a request too large": func(r *request) { r.slot = 1 << 31 },
	} {
		r := right
		change(&r)
		_, err := l.lend(l.clients[0], &r)
		assert.Error(t, err, what)
	}
	fd, err := l.lend(l.clients[0], &right)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, fd, 0)
	require.NoError(t, c.lock())
	c.table[w.index].pid++ // now it is another process's
	c.unlock()
	_, err = l.lend(l.clients[0], &right)
	assert.Error(t, err)
}
