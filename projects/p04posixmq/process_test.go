package p04posixmq

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

func TestPrograms(t *testing.T) {
	folders := build(t)
	t.Run("no wake-up is lost", func(t *testing.T) { testNoWakeUpIsLost(t, folders) })
	t.Run("killed at any time", func(t *testing.T) { testKilledAtAnyTime(t, folders) })
	t.Run("interrupted jobs never run beside themselves", func(t *testing.T) { testInterruptedJobsNeverOverlap(t, folders) })
	t.Run("a submitter killed at every step", func(t *testing.T) { testSubmitterKilledAtEveryStep(t, folders) })
	t.Run("a dispatcher killed at every step", func(t *testing.T) { testDispatcherKilledAtEveryStep(t, folders) })
	t.Run("both languages have the same help", func(t *testing.T) {
		for _, program := range []string{"job_dispatcher", "submit_job"} {
			fromGo, err := exec.Command(filepath.Join(folders["Go"], program), "--help").Output()
			require.NoError(t, err)
			fromC, err := exec.Command(filepath.Join(folders["C"], program), "--help").Output()
			require.NoError(t, err)
			assert.Equal(t, string(fromGo), string(fromC))
		}
	})
	for language, bin := range folders {
		for _, c := range []struct {
			name string
			run  func(r *rig)
		}{
			{"only its user can reach what gets executed", testModes},
			{"what others can reach is refused", testRefusals},
			{"the attributes of the queue, and which limit refuses them", testAttributes},
			{"messages of other programs", testForeignMessages},
			{"a job that was taken before its message came runs once", testEarlyJob},
			{"a job whose submitter gave up does not run", testWithdrawnJob},
			{"a job that is taken while its submitter waits for room is queued", testTakenWhileWaiting},
			{"somebody else is registered", testBusy},
			{"a full dispatcher leaves messages in the queue", testBackPressure},
			{"a message that comes before it has registered again is not missed", testLateRegistration},
			{"a job in the queue behind others ages, too", testAgingInTheQueue},
			{"an urgent job passes those that the dispatcher has taken", testUrgentJobPasses},
			{"the first signal waits for the jobs, the second kills them", testSignals},
			{"a dispatcher killed while it drains has not drained", testShutdownOfTheKilled},
			{"a closed standard output is an error, and no job is lost", testClosedOutput},
			{"a job that cannot be started has a result, too", testUnstartable},
			{"output without end of line", testOutput},
			{"a long log is set aside", testLongLog},
		} {
			t.Run(language+": "+c.name, func(t *testing.T) { c.run(newRig(t, bin)) })
		}
	}
}

func testModes(r *rig) {
	defer unix.Umask(unix.Umask(0))
	d := r.start()
	r.submit(blocked)
	r.waitForFile("begun")
	q, err := posixmq.Open(r.place.Queue, unix.O_RDONLY, 0, nil)
	require.NoError(r.t, err)
	var st unix.Stat_t
	require.NoError(r.t, unix.Fstat(q.Fd(), &st))
	require.NoError(r.t, q.Close())
	assert.EqualValues(r.t, 0o600, st.Mode&0o7777)
	files := 0
	require.NoError(r.t, filepath.Walk(r.place.State, func(path string, info os.FileInfo, err error) error {
		require.NoError(r.t, err)
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		} else {
			files++
		}
		assert.Equal(r.t, want, info.Mode().Perm(), path)
		return nil
	}))
	assert.GreaterOrEqual(r.t, files, 4) // lock, counter, running/1, output/1
	r.write("go", "x")
	r.drain(d)
}

func testRefusals(r *rig) {
	both := func(what, complaint string) {
		r.t.Helper()
		assert.Contains(r.t, r.fails("job_dispatcher"), complaint, what)
		assert.Contains(r.t, r.fails("submit_job", "--cmd", "echo x > ran"), complaint, what)
	}
	elsewhere := r.place.State + ".elsewhere"
	require.NoError(r.t, os.Mkdir(elsewhere, 0o700))
	require.NoError(r.t, os.Symlink(elsewhere, r.place.State))
	both("a symbolic link", "not a directory")
	entries, err := os.ReadDir(elsewhere)
	require.NoError(r.t, err)
	assert.Empty(r.t, entries)
	require.NoError(r.t, os.Remove(r.place.State))

	require.NoError(r.t, os.WriteFile(r.place.State, nil, 0o600))
	both("a file", "not a directory")
	require.NoError(r.t, os.Remove(r.place.State))

	require.NoError(r.t, os.Mkdir(r.place.State, 0o700))
	require.NoError(r.t, os.Chmod(r.place.State, 0o750))
	both("a directory for the group", "others may use this directory (mode 0750)")
	require.NoError(r.t, os.Chmod(r.place.State, 0o700))
	if os.Geteuid() == 0 {
		require.NoError(r.t, os.Chown(r.place.State, 1, -1))
		both("another user's directory", "another user's directory")
		require.NoError(r.t, os.Chown(r.place.State, 0, -1))
	}

	q, err := posixmq.Open(r.place.Queue, unix.O_CREAT|unix.O_RDWR, 0o622, nil)
	require.NoError(r.t, err)
	both("a queue for others", "others may use this queue (mode 0622)")
	if os.Geteuid() == 0 {
		require.NoError(r.t, unix.Fchmod(q.Fd(), 0o600))
		require.NoError(r.t, unix.Fchown(q.Fd(), 1, -1))
		both("another user's queue", "another user's queue")
	}
	require.NoError(r.t, q.Close())
	require.NoError(r.t, posixmq.Unlink(r.place.Queue))

	d := r.start()
	r.drain(d)
	assert.Empty(r.t, r.file("ran"))
}

func testAttributes(r *rig) {
	for _, program := range [][]string{{"job_dispatcher"}, {"submit_job", "--cmd", "x"}} {
		said := r.fails(program[0], append(program[1:], "--max-messages", "70000")...)
		assert.Contains(r.t, said, "fs.mqueue.msg_max=70000")
		said = r.fails(program[0], append(program[1:], "--message-size", "100000000")...)
		assert.Contains(r.t, said, "fs.mqueue.msgsize_max=100000000")
	}
	assert.Equal(r.t, "Job 1 queued (priority 0)\n", r.submit("echo x >> ran", "--max-messages", "3", "--message-size", "100"))
	q, err := posixmq.Open(r.place.Queue, unix.O_RDONLY, 0, nil)
	require.NoError(r.t, err)
	attr, err := q.Attr()
	require.NoError(r.t, err)
	assert.Equal(r.t, posixmq.Attr{MaxMsg: 3, MsgSize: 100, CurMsgs: 1}, attr)
	require.NoError(r.t, q.Close())

	assert.Contains(r.t, r.fails("job_dispatcher", "--max-messages", "4"), "3 messages of 100 bytes")
	assert.Contains(r.t, r.fails("submit_job", "--message-size", "99", "--cmd", "x"), "3 messages of 100 bytes")
	assert.Contains(r.t, r.fails("submit_job", "--cmd", strings.Repeat("x", 99)), "message of 101 bytes, and 100 are the limit")
	r.submit(": " + strings.Repeat("x", 96))
	d := r.start("--max-messages", "3", "--message-size", "100")
	r.drain(d)
	assert.Equal(r.t, "x\n", r.file("ran"))
}

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
		var id int64
		ipctest.Eventually(r.t, func() bool {
			l, err := List(r.place)
			if err == nil && len(l.Waiting) > 1 {
				id = l.Waiting[1].ID
			}
			return id != 0
		}, "its job is there")
		// The last thing it does before it waits; a signal may come at any time, and does.
		err := os.Remove(filepath.Join(r.place.State, "jobs", fmt.Sprint(id)))
		if errors.Is(err, fs.ErrNotExist) && ending.sig == 0 {
			// It was faster: a busy machine needs more time.
			assert.Error(r.t, cmd.Wait())
			assert.Contains(r.t, out.String(), "still full")
			endings = append(endings, end{4 * ending.seconds, 0})
			continue
		}
		require.NoError(r.t, err)
		if ending.sig != 0 {
			require.NoError(r.t, cmd.Process.Signal(ending.sig))
		}
		require.NoError(r.t, cmd.Wait(), out.String())
		assert.Equal(r.t, fmt.Sprintf("Job %d queued (priority 0)\n", id), out.String())
	}
	r.drain(r.start())
	assert.Empty(r.t, r.file("ran"))
}

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

func testBusy(r *rig) {
	q, err := posixmq.Open(r.place.Queue, unix.O_CREAT|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 10, MsgSize: 8192})
	require.NoError(r.t, err)
	require.NoError(r.t, q.NotifyNone())
	for _, form := range []string{"signal", "thread"} {
		said := r.fails("job_dispatcher", "--notify", form)
		assert.Contains(r.t, said, "mq_notify "+r.place.Queue)
		assert.Contains(r.t, said, fmt.Sprintf("process %d", os.Getpid()))
	}
	require.NoError(r.t, q.NotifyCancel())
	for _, form := range []posixmq.Notification{posixmq.BySignal, posixmq.ByThread} {
		d := r.start("--notify", map[posixmq.Notification]string{posixmq.BySignal: "signal", posixmq.ByThread: "thread"}[form])
		s, err := q.Status()
		require.NoError(r.t, err)
		assert.Equal(r.t, form, s.Notify)
		assert.Equal(r.t, d.Process.Pid, s.NotifyPID)
		r.submit("echo x >> ran")
		d.waitFor(`Job \d+ finished`)
		// Armed anew, before it waits again.
		ipctest.Eventually(r.t, func() bool {
			s, err := q.Status()
			return err == nil && s.NotifyPID == d.Process.Pid
		}, "the dispatcher is registered again")
		d.signal(unix.SIGTERM)
		require.NoError(r.t, d.Wait())
		require.NoError(r.t, q.Close())
		q, err = posixmq.Open(r.place.Queue, unix.O_CREAT|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 10, MsgSize: 8192})
		require.NoError(r.t, err)
	}
	require.NoError(r.t, q.Close())
	assert.Equal(r.t, "x\nx\n", r.file("ran"))
}

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

func testClosedOutput(r *rig) {
	read, write, err := os.Pipe()
	require.NoError(r.t, err)
	cmd := r.command("job_dispatcher")
	cmd.Stdout = write
	said := &logged{}
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
