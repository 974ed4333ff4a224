package p04posixmq

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

func testBackPressure(r *rig) {
	d := r.start("--max-waiting", "2", "--max-messages", "3")
	r.submit(blocked)
	r.waitForFile("begun")
	for range 2 + 3 {
		r.submit("echo $JOB_ID >> ran")
		// One after the other, or the last one may come before room is made.
		ipctest.Eventually(r.t, func() bool {
			l, err := List(r.place)
			return err == nil && l.Messages == max(0, len(l.Waiting)-2)
		}, "what may wait in the dispatcher does")
	}
	assert.Contains(r.t, r.fails("submit_job", "--nonblock", "--cmd", "x"), "full (3 messages); the job is not queued")
	assert.Contains(r.t, r.fails("submit_job", "--timeout", "0.05", "--cmd", "x"), "still full after 0.05 s (3 messages); the job is not queued")
	r.write("go", "x")
	r.submit("echo $JOB_ID >> ran")
	r.drain(d)
	assert.Equal(r.t, "2\n3\n4\n5\n6\n9\n", r.file("ran"), "two numbers went to those that were refused")
}

// testLateRegistration lets time pass before each mq_notify. A dispatcher that took the
// messages first and registered then would not hear of the second job.
func testLateRegistration(r *rig) {
	for _, form := range []string{"signal", "thread"} {
		d := r.launch(r.tampered("delay 600000 mq_notify", "job_dispatcher", "--workers", "2", "--notify", form))
		d.waitFor(`^Dispatcher running`)
		for _, command := range []string{"echo $JOB_ID >> ran; " + blocked, "echo $JOB_ID >> ran"} {
			before := len(r.runs("ran"))
			_, err := Submit(r.t.Context(), r.place, 0, command, Patience{})
			require.NoError(r.t, err)
			ipctest.Eventually(r.t, func() bool { return len(r.runs("ran")) > before }, "the job runs")
		}
		r.write("go", "x")
		require.NoError(r.t, Shutdown(r.t.Context(), r.place, Patience{}))
		require.NoError(r.t, d.Wait())
		r.nothingLeft()
		require.NoError(r.t, os.Remove(filepath.Join(r.dir, "go")))
	}
}

// testAgingInTheQueue has the dispatcher take nothing before it can run it: the queue
// itself would give out the jobs of a higher priority first, for ever.
func testAgingInTheQueue(r *rig) {
	d := r.start("--max-waiting", "0", "--aging", "0.1")
	submit := fmt.Sprintf("%s --queue %s --state %s --priority 2", filepath.Join(r.bin, "submit_job"), r.place.Queue, r.place.State)
	r.write("high", "echo high >> order\n"+
		"[ $1 -le 1 ] || grep -q low order || "+submit+" --cmd \"sh high $(($1 - 1))\"\nsleep 0.02\n")
	r.submit("sh high 500", "--priority", "2")
	r.submit("echo low >> order")
	ipctest.Eventually(r.t, func() bool { return strings.Contains(r.file("order"), "low") }, "the low one has run")
	r.drain(d)
	assert.Less(r.t, r.runs("order")["high"], 500)
	assert.Equal(r.t, 1, r.runs("order")["low"])
}

func testUrgentJobPasses(r *rig) {
	d := r.start("--max-waiting", "3")
	r.submit(blocked)
	r.waitForFile("begun")
	for range 6 {
		r.submit("echo low >> order")
	}
	r.submit("echo URGENT >> order", "--priority", "31")
	r.write("go", "x")
	d.waitFor(`^Dispatcher: Job 7 finished`)
	r.drain(d)
	assert.Equal(r.t, "URGENT\n"+strings.Repeat("low\n", 6), r.file("order"))
}
