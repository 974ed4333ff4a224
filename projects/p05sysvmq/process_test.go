package p05sysvmq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/alive"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

func TestPrograms(t *testing.T) {
	built := programs.Build(t, "p05sysvmq")
	folders := map[string]string{"Go": built.Go, "C": built.C}
	for _, c := range serverTests {
		t.Run("server in C: "+c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, serverProgram(filepath.Join(built.C, "sysv_server")))
		})
	}
	for language, bin := range folders {
		for _, c := range clientTests {
			t.Run("client in "+language+": "+c.name, func(t *testing.T) {
				c.run(t, clientProgram(filepath.Join(bin, "sysv_client")))
			})
		}
		t.Run("a client that counts compares its answers, in "+language, func(t *testing.T) {
			testOtherAnswer(t, filepath.Join(bin, "sysv_client"))
		})
		if pidNamespace() {
			t.Run("a client with pid 1 is no server, in "+language, func(t *testing.T) { testPid1(t, bin) })
			t.Run("a reused pid does not get its predecessor's response, in "+language, func(t *testing.T) { testReusedPid(t, bin) })
		}
	}
	for language, clients := range map[string]string{"Go": crowdClients, "C": "C"} {
		server := filepath.Join(folders[language], "sysv_server")
		client := filepath.Join(folders[clients], "sysv_client")
		t.Run("five hundred clients at once before the server in "+language, func(t *testing.T) {
			testCrowd(t, server, client, 16384)
		})
		t.Run("the same with room for six messages, before the server in "+language, func(t *testing.T) {
			testCrowd(t, server, filepath.Join(folders["C"], "sysv_client"), 256)
		})
		t.Run("clients that are killed at any time do not stop the server in "+language, func(t *testing.T) {
			testKilledClients(t, server, filepath.Join(folders["C"], "sysv_client"))
		})
	}
	t.Run("the rows of the benchmark are measured", func(t *testing.T) { testRows(t, folders) })
}

// start starts a server program and waits until it reads. Its lifetime is the test's.
func start(t *testing.T, program string, key sysvmq.Key, log io.Writer, flags ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, program, append(flags, "--key", key.String())...)
	cmd.Stdout, cmd.Stderr = log, os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGCONT)
		_ = cmd.Process.Signal(unix.SIGTERM)
		assert.NoError(t, cmd.Wait())
		cancel()
	})
	require.Eventually(t, func() bool { return asleepIn(cmd.Process.Pid, "msgrcv") }, patient, time.Millisecond,
		"%s does not receive", program)
	return cmd
}

// serverProgram is a server that is a program.
func serverProgram(program string) server {
	return func(t *testing.T, key sysvmq.Key, quiet bool) *logged {
		log := &logged{}
		var flags []string
		if quiet {
			flags = append(flags, "--quiet")
		}
		start(t, program, key, log, flags...)
		return log
	}
}

// stop stops a process, and has stopped it when it returns.
func stop(t *testing.T, p *os.Process) {
	t.Helper()
	require.NoError(t, p.Signal(unix.SIGSTOP))
	ipctest.Eventually(t, func() bool { return alive.Stopped(p.Pid) }, "it stops")
}

// testCrowd has five hundred clients wait for a server whose queue has little room.
func testCrowd(t *testing.T, server, client string, room int) {
	const clients = 500
	key, dir := newKey(t), t.TempDir()
	process := start(t, server, key, nil, "--quiet").Process
	q := queueOf(t, key)
	st, err := q.Stat()
	require.NoError(t, err)
	st.MaxBytes = room
	require.NoError(t, q.Set(st))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	stop(t, process)
	var running [clients]*exec.Cmd
	for i := range running {
		cmd := exec.CommandContext(ctx, client, "--key", key.String(), "--timeout", "100", fmt.Sprint("TEXT ", i))
		out, err := os.Create(filepath.Join(dir, fmt.Sprint("out.", i)))
		require.NoError(t, err)
		cmd.Stdout, cmd.Stderr = out, out
		require.NoError(t, cmd.Start())
		require.NoError(t, out.Close())
		running[i] = cmd
	}
	for _, cmd := range running {
		ipctest.Eventually(t, func() bool { return asleepIn(cmd.Process.Pid, "msgsnd") || asleepIn(cmd.Process.Pid, "msgrcv") },
			"all clients are there at once")
	}
	st, err = q.Stat()
	require.NoError(t, err)
	require.Less(t, st.Messages, clients, "some have found no room")
	require.NoError(t, process.Signal(unix.SIGCONT))
	for i, cmd := range running {
		err := cmd.Wait()
		out, _ := os.ReadFile(filepath.Join(dir, fmt.Sprint("out.", i)))
		assert.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("Sending to server (msgtyp=1)\nWaiting for response (msgtyp=%d)\n"+
			"Response: TEXT %d_PROCESSED\n", cmd.Process.Pid, i), string(out))
	}
	emptied(t, q)
}

// testKilledClients kills clients that ask without a pause.
func testKilledClients(t *testing.T, server, client string) {
	key := newKey(t)
	start(t, server, key, nil, "--quiet")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	long := strings.Repeat("x", 3000)
	for range 20 {
		var victims [5]*exec.Cmd
		for i := range victims {
			victims[i] = exec.CommandContext(ctx, client, "--key", key.String(), "--count", "1000000000", long)
			require.NoError(t, victims[i].Start())
		}
		for _, v := range victims {
			ipctest.Eventually(t, func() bool { return asleepIn(v.Process.Pid, "msgrcv") || asleepIn(v.Process.Pid, "msgsnd") }, "it asks")
		}
		for _, v := range victims {
			require.NoError(t, v.Process.Kill())
		}
		for _, v := range victims {
			require.Error(t, v.Wait())
		}
		answers(t, key)
	}
	emptied(t, queueOf(t, key))
}

// testOtherAnswer answers the same text in two ways.
func testOtherAnswer(t *testing.T, client string) {
	s := newStandIn(t)
	cmd := exec.CommandContext(t.Context(), client, "--key", s.key.String(), "--count", "3", "HELLO")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	require.NoError(t, cmd.Start())
	for _, answer := range []string{"ONE", "TWO"} {
		req := s.request()
		s.respond(req, response{nonce: req.nonce, text: []byte(answer)})
	}
	require.Error(t, cmd.Wait())
	assert.Equal(t, "sysv_client: the same text was answered first by \"ONE\", then by \"TWO\"\n", complaint.String())
}

// pidNamespace says whether a pid namespace can be made; in a container without
// privilege it cannot. What it would show is then shown with forged messages only, by
// testdata/client.txtar and TestTypeOfResponses.
func pidNamespace() bool {
	return exec.Command("unshare", "--fork", "--pid", "--mount-proc", "true").Run() == nil
}

// inPidNamespace runs a shell script as process 1 of a pid namespace.
func inPidNamespace(t *testing.T, bin, script string, env ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--fork", "--pid", "--mount-proc", "--kill-child", "sh", "-ec", script)
	cmd.Env = append(append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH")), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// testPid1 has a client whose pid is the type of requests. With it ends its namespace,
// and the server is killed.
func testPid1(t *testing.T, bin string) {
	key := newKey(t)
	t.Chdir(t.TempDir())
	inPidNamespace(t, bin, `
		sysv_server --quiet --key $KEY >log &
		until grep -q Waiting log; do sleep 0.01; done
		exec sysv_client --key $KEY --count 3 HELLO >out
	`, "KEY="+key.String())
	out, err := os.ReadFile("out")
	require.NoError(t, err)
	assert.Contains(t, string(out), "Waiting for response (msgtyp=2147483647)\nResponse: HELLO_PROCESSED\n3 round trips")
	ipctest.Eventually(t, func() bool { return len(leftOf(t, key)) == 1 }, "the server is killed")
	require.NoError(t, leftOf(t, key)[0].Remove())
}

// testReusedPid gives a client the pid of one that was killed when its response was
// already in the queue.
func testReusedPid(t *testing.T, bin string) {
	key := newKey(t)
	t.Chdir(t.TempDir())
	out := inPidNamespace(t, bin, `
		halt() { kill -STOP $1; while grep -L ') T ' /proc/$1/task/*/stat | grep -q .; do sleep 0.01; done; }
		queued() { ipcs -q | awk -v key=$KEY '$1 == key { print $6 }'; }
		sysv_server --key $KEY >log & server=$!
		until grep -q Waiting log; do sleep 0.01; done
		halt $server
		sysv_client --key $KEY --timeout 1000 OLD >old & victim=$!
		until [ "$(queued)" = 1 ]; do sleep 0.01; done
		halt $victim
		kill -CONT $server
		until grep -q OLD_PROCESSED log; do sleep 0.01; done
		until halt $server; [ "$(queued)" = 1 ]; do kill -CONT $server; sleep 0.01; done
		kill -KILL $victim; wait $victim || true
		while :; do
			echo $((victim - 1)) >/proc/sys/kernel/ns_last_pid
			sysv_client --key $KEY NEW >new & successor=$!
			[ $successor != $victim ] || break
			kill -KILL $successor; wait $successor || true
		done
		kill -CONT $server
		wait $successor
		echo "$successor again"
		cat new
		kill $server; wait $server
	`, "KEY="+key.String())
	assert.Contains(t, out, "Response: NEW_PROCESSED\n")
	assert.NotContains(t, out, "OLD")
}

// testRows runs each variant of each row for a few round trips.
func testRows(t *testing.T, folders map[string]string) {
	bin := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(bin, "p05"), 0o700))
	for _, program := range Exercise.Programs {
		require.NoError(t, os.Symlink(filepath.Join(folders["Go"], program), filepath.Join(bin, "p05", program)))
	}
	require.NoError(t, os.Symlink(folders["C"], filepath.Join(bin, "p05", "ref")))
	cfg := measure.Config{Bin: bin}.Defaults()
	for _, row := range rows(cfg) {
		for _, v := range row.Variants {
			if strings.HasSuffix(row.Name, "_50") && v.Name == "Go" && crowdClients != "Go" {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for _, n := range []int64{1, 120} {
				sample, err := v.Run(ctx, &cfg, n)
				require.NoError(t, err, "%s in %s", row.Name, v.Name)
				assert.Equal(t, n, sample.Verified)
				assert.Positive(t, sample.Elapsed)
			}
		}
	}
	cfg.Bin = t.TempDir()
	_, err := rows(cfg)[0].Variants[0].Run(t.Context(), &cfg, 100)
	assert.ErrorIs(t, err, os.ErrNotExist, "programs that are not there")
	assert.False(t, errors.Is(err, context.DeadlineExceeded))
}
