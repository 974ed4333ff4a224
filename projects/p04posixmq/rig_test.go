package p04posixmq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
	"unpipc/projects/internal/programs"
)

// lifetime bounds every process of these tests.
const lifetime = 2 * time.Minute

// rig is a queue with programs to use it, and the folder in which jobs run.
type rig struct {
	t     *testing.T
	place Place
	dir   string
	bin   string // of the programs
}

// build gives the folders of the programs, by language.
func build(t *testing.T) map[string]string {
	t.Helper()
	built := programs.Build(t, "p04posixmq")
	return map[string]string{"Go": built.Go, "C": built.C}
}

// newRig has the state in memory: these tests are not of the disk.
func newRig(t *testing.T, bin string) *rig {
	t.Helper()
	state, err := os.MkdirTemp("/dev/shm", ipctest.Name(t))
	require.NoError(t, err)
	r := &rig{t: t, dir: t.TempDir(), bin: bin, place: Place{
		Queue: "/" + ipctest.Name(t), State: filepath.Join(state, "state"),
	}}
	t.Cleanup(func() {
		_ = posixmq.Unlink(r.place.Queue)
		_ = os.RemoveAll(state)
	})
	return r
}

// command is one of the programs on this rig's queue.
func (r *rig) command(program string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	r.t.Cleanup(cancel)
	args = append([]string{"--queue", r.place.Queue, "--state", r.place.State}, args...)
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, program), args...)
	cmd.Dir = r.dir
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// submit queues a job with submit_job.
func (r *rig) submit(command string, flags ...string) string {
	r.t.Helper()
	cmd := r.command("submit_job", append(flags, "--cmd", command)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(r.t, cmd.Run(), out.String())
	return out.String()
}

// fails runs a program that is to fail with status 1, and returns what it said.
func (r *rig) fails(program string, args ...string) string {
	r.t.Helper()
	cmd := r.command(program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run()
	assert.Equal(r.t, 1, cmd.ProcessState.ExitCode(), "%s", out.String())
	assert.Regexp(r.t, "^"+program+": ", out.String())
	return out.String()
}

// dispatcher is one that runs.
type dispatcher struct {
	*exec.Cmd
	t   *testing.T
	log *logged
}

// logged is what a dispatcher has said so far.
type logged struct{ ipctest.Log }

func (l *logged) has(pattern string) bool {
	return regexp.MustCompile(`(?m)` + pattern).MatchString(l.String())
}

// start starts a dispatcher and waits until it says that it runs.
func (r *rig) start(flags ...string) *dispatcher {
	r.t.Helper()
	d := r.launch(r.command("job_dispatcher", flags...))
	d.waitFor(`^Dispatcher running, queue: ` + regexp.QuoteMeta(r.place.Queue) + `$`)
	return d
}

func (r *rig) launch(cmd *exec.Cmd) *dispatcher {
	r.t.Helper()
	d := &dispatcher{Cmd: cmd, t: r.t, log: &logged{}}
	cmd.Stdout, cmd.Stderr = d.log, d.log
	require.NoError(r.t, cmd.Start())
	r.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if r.t.Failed() {
			r.t.Logf("%s:\n%s", cmd, d.log)
		}
	})
	return d
}

func (d *dispatcher) waitFor(pattern string) {
	d.t.Helper()
	ipctest.Eventually(d.t, func() bool { return d.log.has(pattern) }, "the log has "+pattern)
}

func (d *dispatcher) signal(sig syscall.Signal) {
	d.t.Helper()
	require.NoError(d.t, d.Process.Signal(sig))
}

// kill is kill -9.
func (d *dispatcher) kill() {
	d.t.Helper()
	d.signal(unix.SIGKILL)
	_ = d.Wait()
}

// drain lets it end when everything queued has run, and checks that nothing is left.
func (r *rig) drain(d *dispatcher) string {
	r.t.Helper()
	d.signal(unix.SIGUSR2)
	require.NoError(r.t, d.Wait(), d.log.String())
	r.nothingLeft()
	return d.log.String()
}

func (r *rig) nothingLeft() {
	r.t.Helper()
	for _, folder := range []string{"new", "jobs", "running", "output"} {
		entries, err := os.ReadDir(filepath.Join(r.place.State, folder))
		assert.NoError(r.t, err)
		assert.Empty(r.t, entries, folder)
	}
	_, err := posixmq.Open(r.place.Queue, unix.O_RDONLY, 0, nil)
	assert.ErrorIs(r.t, err, fs.ErrNotExist, "the queue of a dispatcher that left nothing")
}

// file is what a job has written to a file of its folder, "" if it is not there.
func (r *rig) file(name string) string {
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.t.Error(err)
	}
	return string(text)
}

func (r *rig) write(name, text string) {
	r.t.Helper()
	require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600))
}

func (r *rig) waitForFile(name string) {
	r.t.Helper()
	ipctest.Eventually(r.t, func() bool { return r.file(name) != "" }, name+" is written")
}

// send puts a message into the queue as any other program could.
func (r *rig) send(text string, priority uint) {
	r.t.Helper()
	q, err := posixmq.Open(r.place.Queue, unix.O_WRONLY, 0, nil)
	require.NoError(r.t, err)
	require.NoError(r.t, q.Send([]byte(text), priority))
	require.NoError(r.t, q.Close())
}

// runs counts the lines of a file.
func (r *rig) runs(name string) map[string]int {
	counts := map[string]int{}
	for _, line := range strings.Fields(r.file(name)) {
		counts[line]++
	}
	return counts
}

// blocked is a job that runs until the test writes the file go.
const blocked = `echo x > begun; until test -s go; do sleep 0.02; done`

func numbered(text string) (id int64) {
	_, _ = fmt.Sscanf(text, "Job %d queued", &id)
	return id
}
