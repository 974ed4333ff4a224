package p18rpckv_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/kvrpc"
	"unpipc/projects/internal/programs"
)

// ran is what a program says, and its status.
func ran(t *testing.T, stdin, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var out, complaint strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &complaint
	if err := cmd.Run(); err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	return fmt.Sprintf("%d %q %q", cmd.ProcessState.ExitCode(), out.String(), complaint.String())
}

func testSame(t *testing.T, built *programs.Built) {
	var said [2][]string
	long := strings.Repeat("v", kvrpc.MaxValue)
	dead := freePort(t)
	servers := []*single{startSingle(t, built.C, t.TempDir()), startSingle(t, built.C, t.TempDir())}
	for i, bin := range []string{built.Go, built.C} {
		s := servers[i]
		hide := strings.NewReplacer(s.addr, "SERVER", fmt.Sprint(s.port), "PORT", long, "LONG").Replace
		run := func(args ...string) {
			args = append([]string{"--server=" + s.addr}, args...)
			said[i] = append(said[i], hide(ran(t, "a line\nfrom stdin", filepath.Join(bin, "kv_client"), args...)))
		}
		run("put", "k", "v")
		run("get", "k")
		run("get", "nothing")
		run("put", "k", "-")
		run("--raw", "get", "k")
		run("del", "k")
		run("del", "k")
		run("--absent", "cas", "k", "1")
		run("--absent", "cas", "k", "1")
		run("cas", "k", "1", "2")
		run("cas", "k", "1", "2")
		run("cas", "none", "1", "2")
		run("put", "empty", "")
		run("get", "empty")
		run("put", "long", long)
		run("get", "long")
		run("put", "long", long+"v")
		run("get", strings.Repeat("k", kvrpc.MaxKey+1))
		run("list")
		run("list", "k")
		run("--local", "list", "x")
		run("--after=0", "--count=3", "watch")
		run("--after=4", "--count=1", "watch", "k")
		run("status")
		run("member", "add", "2", "localhost:9002")
		run("member", "remove", "2")
		run("--timeout=1", fmt.Sprintf("--server=localhost:%d", dead), "status")
		for _, wrong := range [][]string{
			{}, {"dance"}, {"put"}, {"put", "k"}, {"get", ""}, {"list", "a", "b"}, {"--absent", "cas", "a", "b", "c"},
			{"member"}, {"member", "x"}, {"member", "add", "1"}, {"member", "add", "1", "x"}, {"member", "add", "1", "x:0"},
			{"--server=x", "get", "k"}, {"--server=x:65536", "get", "k"}, {"--server=a:b:1", "get", "k"}, {"--server=:1", "get", "k"},
			{"--server=[::2:1", "get", "k"}, {"--timeout=0", "get", "k"},
		} {
			run(wrong...)
		}
	}
	assert.Equal(t, said[0], said[1])
	for _, line := range said[1][len(said[1])-18:] {
		assert.Regexp(t, `^2 "" "kv_client: .*\\nTry 'kv_client --help'.\\n"$`, line)
	}
}

// between is a server that gives what it is sent to another one, but for the first answer.
func between(t *testing.T, behind string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lost := false; ; lost = true {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", behind)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(server, client)
				_ = server.(*net.TCPConn).CloseWrite()
			}()
			if !lost {
				_, _ = io.ReadFull(server, make([]byte, 4)) // it has answered
			} else {
				_, _ = io.Copy(client, server)
			}
			_ = client.Close()
			_ = server.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func testLostAnswer(t *testing.T, serverBin, bin string) {
	s := startSingle(t, serverBin, t.TempDir())
	client := filepath.Join(bin, "kv_client")
	assert.Equal(t, `0 "OK (replicated to 1 node)\n" ""`, ran(t, "", client, "--server="+between(t, s.addr), "put", "k", "v"))
	assert.Equal(t, `0 "OK (replicated to 1 node)\n" ""`, ran(t, "", client, "--server="+between(t, s.addr), "del", "k"),
		"the second time there would be no such key")
	state, err := s.State(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 2, state.AppliedIndex)
}

// A server that takes the call and says nothing.
func testUnknown(t *testing.T, bin string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client := filepath.Join(bin, "kv_client")
	server := "--server=" + l.Addr().String()
	assert.Regexp(t, `^3 "" "kv_client: outcome unknown: localhost:\d+: .+\\n"$`, ran(t, "", client, "--timeout=1", server, "put", "k", "v"))
	assert.Regexp(t, `^1 "" "kv_client: no server answers: localhost:\d+: no answer in time\\n"$`, ran(t, "", client, "--timeout=1", server, "get", "k"))
}
