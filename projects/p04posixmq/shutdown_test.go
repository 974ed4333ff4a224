package p04posixmq

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func testShutdownOfTheKilled(r *rig) {
	d := r.start()
	r.submit(blocked)
	r.waitForFile("begun")
	cmd := r.command("submit_job", "--shutdown")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(r.t, cmd.Start())
	d.waitFor(`^Dispatcher draining: 1 running, 0 waiting$`)
	d.kill()
	_ = cmd.Wait()
	assert.Equal(r.t, 1, cmd.ProcessState.ExitCode())
	assert.Equal(r.t, fmt.Sprintf("submit_job: %s: the dispatcher has ended before job 1 did\n", r.place.Queue), out.String())
	r.write("go", "x")
	r.drain(r.start())
}

func testSignals(r *rig) {
	d := r.start("--workers", "2")
	r.submit(blocked + "; echo 1 >> ran")
	r.waitForFile("begun")
	r.submit("(sleep 60 & echo $! > child; wait); echo 2 >> ran")
	r.waitForFile("child")
	r.submit("echo 3 >> ran")
	d.signal(unix.SIGTERM)
	d.waitFor(`^Dispatcher stopping: 2 running$`)
	r.write("go", "x")
	d.waitFor(`^Dispatcher: Job 1 finished: exit status 0$`)
	d.signal(unix.SIGINT)
	require.NoError(r.t, d.Wait())
	log := d.log.String()
	assert.Regexp(r.t, `(?m)^Dispatcher: Job 2 was killed; the next dispatcher will queue it again$`, log)
	assert.Regexp(r.t, `(?m)^Dispatcher ended; jobs left: 2$`, log)
	assert.NotContains(r.t, log, "Processing job 3")
	ipctest.Eventually(r.t, func() bool { return !lives(strings.TrimSpace(r.file("child"))) },
		"the whole process group was killed")

	r.write("child", "")
	assert.Equal(r.t, "1\n", r.file("ran"))
	next := r.start("--workers", "2")
	next.waitFor(`^Dispatcher: Job 2 was interrupted; queued again$`)
	r.waitForFile("child")
	require.NoError(r.t, exec.Command("kill", strings.TrimSpace(r.file("child"))).Run())
	r.drain(next)
	assert.Equal(r.t, map[string]int{"1": 1, "2": 1, "3": 1}, r.runs("ran"))
}

// lives says whether there is a process with this number that is no zombie.
func lives(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !regexp.MustCompile(`\) [ZX] `).Match(stat)
}
