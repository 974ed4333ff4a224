package p04posixmq

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

func testClosedOutput(r *rig) {
	read, write, err := os.Pipe()
	require.NoError(r.t, err)
	cmd := r.command("job_dispatcher")
	cmd.Stdout = write
	said := &ipctest.Log{}
	cmd.Stderr = said
	require.NoError(r.t, cmd.Start())
	require.NoError(r.t, write.Close())
	line := make([]byte, 100)
	_, err = read.Read(line) // it runs
	require.NoError(r.t, err)
	require.NoError(r.t, read.Close())
	r.submit("echo $JOB_ID >> ran")
	_ = cmd.Wait()
	assert.Equal(r.t, 1, cmd.ProcessState.ExitCode())
	assert.Regexp(r.t, `^job_dispatcher: write .*(?i)broken pipe`, said.String())
	r.submit("echo $JOB_ID >> ran")
	r.drain(r.start())
	assert.Equal(r.t, map[string]int{"1": 1, "2": 1}, r.runs("ran"))
}

func testUnstartable(r *rig) {
	// Arguments and environment have a quarter of the stack's limit together, but at
	// least 128 KiB: execve(2). The dispatcher's own just fit.
	cmd := r.command("job_dispatcher")
	cmd.Env = append(os.Environ(), "FILLING=")
	room := 128<<10 - 4096
	for _, s := range slices.Concat(cmd.Env, cmd.Args) {
		room -= len(s) + 1 + 8 // and its pointer
	}
	cmd.Env[len(cmd.Env)-1] += strings.Repeat("x", room)
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `ulimit -s 512; exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
	d := r.launch(cmd)
	d.waitFor(`^Dispatcher running`)
	_, err := Submit(r.t.Context(), r.place, 3, ": "+strings.Repeat("x", 8000), Patience{})
	require.NoError(r.t, err)
	r.submit("echo $JOB_ID >> ran")
	log := r.drain(d)
	assert.Regexp(r.t, `(?m)^Dispatcher: Job 1 finished: could not be started: .*(?i)argument list too long`, log)
	assert.Equal(r.t, "2\n", r.file("ran"))
}

func testOutput(r *rig) {
	d := r.start()
	r.submit("printf 'no newline'; printf ' and stderr' >&2")
	r.submit("true")
	r.submit("head -c 300000 /dev/zero | tr '\\0' z; echo")
	d.waitFor(`^Dispatcher: Job 3 finished`)
	log := strings.Replace(r.drain(d), strings.Repeat("z", 300000), "(many)", 1)
	assert.Contains(r.t, log, "\nno newline and stderr\nDispatcher: Job 1 finished: exit status 0\n")
	assert.Contains(r.t, log, ": true\nDispatcher: Job 2 finished: exit status 0\n")
	assert.Contains(r.t, log, "\n(many)\nDispatcher: Job 3 finished: exit status 0\n")
}

func testLongLog(r *rig) {
	d := r.start()
	path := filepath.Join(r.place.State, "log")
	require.NoError(r.t, os.WriteFile(path, []byte(strings.Repeat("0 0 exit status 0\n", maxLog/18)), 0o600))
	for range 4 {
		r.submit("true")
	}
	r.drain(d)
	long, err := os.ReadFile(path + ".1")
	require.NoError(r.t, err)
	short, err := os.ReadFile(path)
	require.NoError(r.t, err)
	end := string(long[max(0, len(long)-200):]) + string(short)
	for id := range 4 {
		assert.Contains(r.t, end, fmt.Sprintf("\n%d 0 exit status 0\n", id+1))
	}
}
