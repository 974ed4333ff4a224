package p04posixmq

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func testForeignMessages(r *rig) {
	d := r.start()
	r.submit("echo $JOB_ID >> ran")
	d.waitFor(`^Dispatcher: Job 1 finished`)
	r.send("0 echo $JOB_ID >> ran", 5)
	d.waitFor(`^Dispatcher: Job 2 \(priority 5\) comes from another program$`)
	r.send("77 echo $JOB_ID >> ran", 5) // a number that was never given
	d.waitFor(`^Dispatcher: Job 3 finished`)
	r.send("2 echo $JOB_ID >> ran", 5) // one that was
	d.waitFor(`^Dispatcher: Job 2 has been taken already; its message is ignored$`)
	for _, garbage := range []string{"", "echo no number", "-1 x", "5", "5 ", "4 a\x00b", "\x1b[2J"} {
		r.send(garbage, 0)
	}
	d.waitFor(`^Dispatcher: Dropped a message that is no job: \\x1b\[2J$`)

	// With the number of one that waits, but not its command.
	r.submit(blocked)
	r.waitForFile("begun")
	assert.EqualValues(r.t, 5, numbered(r.submit("echo $JOB_ID >> ran")))
	r.send("5 echo $JOB_ID other >> ran", 0)
	d.waitFor(`^Dispatcher: Job 6 `)
	r.write("go", "x")
	log := r.drain(d)
	assert.Equal(r.t, map[string]int{"1": 1, "2": 1, "3": 1, "5": 1, "6": 1, "other": 1}, r.runs("ran"))
	assert.Equal(r.t, 7, strings.Count(log, "Dropped"))
	assert.NotContains(r.t, log, "\x1b")
}

// unsent makes a job's file without sending its message, as a submitter does that
// waits for room in the queue.
func (r *rig) unsent(command string) int64 {
	r.t.Helper()
	s, err := openState(r.place.State, true)
	require.NoError(r.t, err)
	draft, err := s.draft(0, command)
	require.NoError(r.t, err)
	id, err := s.publish(draft, func(int64) error { return nil })
	require.NoError(r.t, err)
	require.NoError(r.t, os.Remove(draft))
	return id
}

func testEarlyJob(r *rig) {
	const command = "echo $JOB_ID >> ran"
	first, second := r.unsent(command), r.unsent(command)
	d := r.start()
	d.waitFor(fmt.Sprintf(`^Dispatcher: Job %d finished`, second))
	r.send(string(message(first, command)), 0) // its submitter has got room
	r.submit(blocked)
	r.waitForFile("begun")
	assert.NotContains(r.t, d.log.String(), "ignored", "it is nothing to worry about")

	// While it still waits, its message is no second job.
	third := r.unsent(command)
	d.signal(unix.SIGUSR2)
	d.waitFor(`^Dispatcher draining: 1 running, 1 waiting`)
	r.send(string(message(third, command)), 0)
	r.write("go", "x")
	require.NoError(r.t, d.Wait())

	// The next dispatcher cannot know who took them, and says so.
	next := r.start()
	r.send(string(message(second, command)), 0)
	for _, id := range []int64{second, third} {
		next.waitFor(fmt.Sprintf(`^Dispatcher: Job %d has been taken already; its message is ignored$`, id))
	}
	r.drain(next)
	assert.Equal(r.t, map[string]int{"1": 1, "2": 1, "4": 1}, r.runs("ran"))
}

func testWithdrawnJob(r *rig) {
	d := r.start()
	r.submit(blocked)
	r.waitForFile("begun")
	id := r.unsent("echo $JOB_ID >> ran")
	r.submit("echo $JOB_ID >> ran")
	d.signal(unix.SIGUSR2)
	d.waitFor(`^Dispatcher draining: 1 running, 2 waiting`)
	require.NoError(r.t, os.Remove(filepath.Join(r.place.State, "jobs", fmt.Sprint(id))))
	r.write("go", "x")
	require.NoError(r.t, d.Wait())
	assert.Equal(r.t, map[string]int{"3": 1}, r.runs("ran"))
	r.nothingLeft()
}

// testTakenWhileWaiting does by hand what a dispatcher does with a job's file.
func testTakenWhileWaiting(r *rig) {
	r.submit("true", "--max-messages", "1", "--message-size", "100")
	type end struct {
		seconds float64
		sig     unix.Signal
	}
	endings := []end{{100, unix.SIGTERM}, {0.2, 0}}
	for len(endings) > 0 {
		ending := endings[0]
		endings = endings[1:]
		cmd := r.command("submit_job", "--cmd", "echo x >> ran", fmt.Sprintf("--timeout=%g", ending.seconds))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		require.NoError(r.t, cmd.Start())
		waited := make(chan error, 1)
		go func() { waited <- cmd.Wait() }()
		var id int64 // 0: it had given up before anybody looked
		ipctest.Eventually(r.t, func() bool {
			l, err := List(r.place)
			if err == nil && len(l.Waiting) > 1 {
				id = l.Waiting[1].ID
			}
			return id != 0 || len(waited) > 0
		}, "its job is there")
		// The last thing it does before it waits; a signal may come at any time, and does.
		err := os.Remove(filepath.Join(r.place.State, "jobs", fmt.Sprint(id)))
		if errors.Is(err, fs.ErrNotExist) && ending.sig == 0 {
			// It was faster: a busy machine needs more time.
			assert.Error(r.t, <-waited)
			assert.Contains(r.t, out.String(), "still full")
			endings = append(endings, end{4 * ending.seconds, 0})
			continue
		}
		require.NoError(r.t, err)
		if ending.sig != 0 {
			require.NoError(r.t, cmd.Process.Signal(ending.sig))
		}
		require.NoError(r.t, <-waited, out.String())
		assert.Equal(r.t, fmt.Sprintf("Job %d queued (priority 0)\n", id), out.String())
	}
	r.drain(r.start())
	assert.Empty(r.t, r.file("ran"))
}
