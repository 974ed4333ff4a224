package p02fifo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/projects/internal/alive"
	"unpipc/projects/internal/programs"
)

func TestProcesses(t *testing.T) {
	built := programs.Build(t, "p02fifo")
	folders := map[string]string{"Go": built.Go, "C": built.C}
	t.Run("both servers give the same answers", func(t *testing.T) { testAgreement(t, folders) })
	for _, c := range serverTests {
		t.Run("server in C: "+c.name, func(t *testing.T) { c.run(t, serverProgram(filepath.Join(built.C, "calc_server"))) })
	}
	for language, bin := range folders {
		t.Run("a client whose request is lost sends it again, in "+language, func(t *testing.T) {
			testLostRequest(t, filepath.Join(bin, "calc_client"))
		})
	}
	for language, bin := range folders {
		t.Run("of two servers that start at once one gets the FIFO, in "+language, func(t *testing.T) {
			testLockedFIFO(t, filepath.Join(bin, "calc_server"))
		})
	}
	for language, clients := range map[string]string{"Go": crowdClients, "C": "C"} {
		server := filepath.Join(folders[language], "calc_server")
		t.Run("a thousand clients at once before the server in "+language, func(t *testing.T) {
			testCrowd(t, server, filepath.Join(folders[clients], "calc_client"))
		})
		t.Run("a killed server's FIFO goes to the next one, in "+language, func(t *testing.T) {
			testKilledServer(t, server)
		})
	}
}

// start starts a server program and waits until it reads. Its lifetime is the test's.
func start(t *testing.T, program, path string, quiet bool, log io.Writer) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, program, "--fifo", path)
	if quiet {
		cmd.Args = append(cmd.Args, "--quiet")
	}
	cmd.Stdout, cmd.Stderr = log, os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		_ = cmd.Wait()
		cancel()
	})
	require.Eventually(t, func() bool {
		w, err := fifo.OpenWriter(context.Background(), path, unix.O_NONBLOCK)
		return err == nil && w.Close() == nil
	}, patient, time.Millisecond, "%s does not listen", program)
	return cmd
}

// serverProgram is a server that is a program.
func serverProgram(program string) server {
	return func(t *testing.T, quiet bool) (string, *logged) {
		path, log := filepath.Join(t.TempDir(), "calc"), &logged{}
		start(t, program, path, quiet, log)
		log.await(t, "listening") // by then what dead clients have left is gone
		return path, log
	}
}

// testLockedFIFO is in the place of a server that has the lock and, as far as
// opening the FIFO tells, does not read yet.
func testLockedFIFO(t *testing.T, program string) {
	path := filepath.Join(t.TempDir(), "calc")
	require.NoError(t, fifo.Make(path, 0o600))
	r, err := fifo.OpenReadWriter(path, 0)
	require.NoError(t, err)
	w, err := fifo.OpenWriter(context.Background(), path, 0)
	require.NoError(t, errors.Join(err, r.Close()))
	defer w.Close()
	require.NoError(t, unix.Flock(w.Fd(), unix.LOCK_EX))

	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "--fifo", path).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 1, exit.ExitCode())
	assert.Equal(t, "calc_server: "+path+": a server is already listening\n", string(out))
	assert.FileExists(t, path)
}

// testLostRequest loses a request, and later answers it twice.
func testLostRequest(t *testing.T, client string) {
	s := standInServer(t)
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	var out strings.Builder
	cmd := exec.CommandContext(ctx, client, "--fifo", s.path, "--timeout", "100", "--count", "2", "5 + 3")
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	assert.Equal(t, "5 + 3", s.operation())
	assert.Equal(t, "5 + 3", s.operation(), "a second time")
	assert.NoError(t, s.reply("8\n"))
	mark := s.operation()
	assert.NoError(t, s.reply("8\n"))
	assert.NoError(t, s.reply(mark+"\n"))
	assert.Equal(t, "5 + 3", s.operation())
	assert.NoError(t, s.reply("9\n"), "were it 8 again, nobody could tell")
	require.Error(t, cmd.Wait(), "different answers to one question")
	assert.Equal(t, "calc_client: the answer was 8 and is 9\n", out.String())
}

// testAgreement asks both servers what neither was written for.
func testAgreement(t *testing.T, folders map[string]string) {
	var clients [2]*Client
	for i, language := range []string{"Go", "C"} {
		path := filepath.Join(t.TempDir(), "calc")
		start(t, filepath.Join(folders[language], "calc_server"), path, true, nil)
		clients[i] = dial(t, path)
	}
	random := rand.New(rand.NewPCG(1, 2))
	answered := 0
	for n := range 8000 {
		operation := randomExpression(random, 1+n%6)
		if _, err := Request(os.Getpid(), operation); err != nil {
			continue
		}
		fromGo, errGo := clients[0].Calculate(operation)
		fromC, errC := clients[1].Calculate(operation)
		require.Equal(t, fmt.Sprint(fromGo, errGo), fmt.Sprint(fromC, errC), "%q", operation)
		if errGo == nil {
			answered++
		} else {
			require.IsType(t, CalcError(""), errGo)
		}
	}
	assert.Greater(t, answered, 2000, "many of the expressions must have a result")
}

// randomExpression is arithmetic with numbers at the edges, now and then spoilt.
func randomExpression(random *rand.Rand, depth int) string {
	if random.IntN(50) == 0 {
		text := make([]byte, random.IntN(6))
		for i := range text {
			text[i] = "0123456789.eE+-*/%() \t:x\\\x01\xff\x7f"[random.IntN(28)]
		}
		return string(text)
	}
	if depth == 0 || random.IntN(5) == 0 {
		return randomNumber(random)
	}
	a, b := randomExpression(random, depth-1), randomExpression(random, depth-1)
	switch random.IntN(8) {
	case 0:
		return "-" + a
	case 1:
		return "(" + a + ")"
	}
	space := strings.Repeat(" ", random.IntN(2))
	return a + space + string("+-*/%"[random.IntN(5)]) + space + b
}

func randomNumber(random *rand.Rand) string {
	edges := []string{"0", "0.0", "1", "9223372036854775807", "9223372036854775808", "4294967296",
		"3037000500", "1e308", "1.7976931348623157e308", "5e-324", "1e-310", "0.1", "9007199254740993"}
	switch random.IntN(5) {
	case 0:
		return edges[random.IntN(len(edges))]
	case 1:
		return fmt.Sprint(random.Uint64() >> random.IntN(64))
	case 2:
		return fmt.Sprintf("%.*g", 1+random.IntN(20), random.NormFloat64()*1e3)
	case 3:
		return fmt.Sprintf("%de%+d", random.IntN(1e6), random.IntN(640)-320)
	}
	return fmt.Sprint(random.IntN(20))
}

// testCrowd stops the server until all clients have sent their requests.
func testCrowd(t *testing.T, server, client string) {
	const clients = 1000
	dir := t.TempDir()
	path := filepath.Join(dir, "calc")
	process := start(t, server, path, true, nil).Process
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	require.NoError(t, process.Signal(unix.SIGSTOP))
	require.Eventually(t, func() bool { return alive.Stopped(process.Pid) }, patient, time.Millisecond)
	var running [clients]*exec.Cmd
	for i := range running {
		cmd := exec.CommandContext(ctx, client, "--fifo", path, "--timeout", "100", fmt.Sprintf("%d * 1000003", i))
		out, err := os.Create(filepath.Join(dir, fmt.Sprint("out.", i)))
		require.NoError(t, err)
		cmd.Stdout, cmd.Stderr = out, out
		require.NoError(t, cmd.Start())
		require.NoError(t, out.Close())
		running[i] = cmd
	}
	replies := func() int {
		paths, err := filepath.Glob(filepath.Join(dir, replyPrefix+"*"))
		require.NoError(t, err)
		return len(paths)
	}
	require.Eventually(t, func() bool { return replies() == clients }, time.Minute, 10*time.Millisecond,
		"all clients must be there at once")
	require.NoError(t, process.Signal(unix.SIGCONT))
	for i, cmd := range running {
		err := cmd.Wait()
		out, _ := os.ReadFile(filepath.Join(dir, fmt.Sprint("out.", i)))
		assert.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("Result: %d\n", i*1000003), string(out))
	}
	assert.Zero(t, replies(), "FIFOs that clients left")
}

func testKilledServer(t *testing.T, server string) {
	path := filepath.Join(t.TempDir(), "calc")
	for range 3 {
		process := start(t, server, path, true, nil)
		c, err := Dial(context.Background(), path)
		require.NoError(t, err)
		answers(t, c)
		require.NoError(t, process.Process.Kill())
		require.Error(t, process.Wait())
		_, err = c.Calculate("5 + 3")
		assert.ErrorIs(t, err, ErrGone)
		require.NoError(t, c.Close())
		_, err = Dial(context.Background(), path)
		assert.ErrorIs(t, err, ErrNoServer)
	}
}
