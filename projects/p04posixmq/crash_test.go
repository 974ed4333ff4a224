package p04posixmq

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"unpipc/gobind/ipctest"
)

// ledger counts, over all dispatchers of a queue, what may have become of its jobs.
type ledger struct {
	interrupted, finished map[string]int
	again                 []string // said to be interrupted after it had finished
}

var aboutJob = regexp.MustCompile(`(?m)^Dispatcher: Job (\d+) (was interrupted; queued again|finished: .*)$`)

func (l *ledger) add(log string) {
	for _, m := range aboutJob.FindAllStringSubmatch(log, -1) {
		if strings.HasPrefix(m[2], "finished") {
			l.finished[m[1]]++
			continue
		}
		l.interrupted[m[1]]++
		if l.finished[m[1]] > 0 {
			l.again = append(l.again, m[1])
		}
	}
}

// check holds how often each job ran against what was said of it: a job may begin
// once more for every time that it is said to have been interrupted.
func (l *ledger) check(t *testing.T, ran map[string]int, queued map[string]bool) {
	t.Helper()
	assert.Empty(t, l.again)
	for id := range queued {
		assert.Positive(t, ran[id], "job %s was queued and never ran", id)
		assert.Positive(t, l.finished[id], "job %s was never said to have finished", id)
	}
	for id, n := range ran {
		assert.LessOrEqual(t, n, 1+l.interrupted[id], "job %s ran more often than was said", id)
	}
}

func newLedger() *ledger { return &ledger{interrupted: map[string]int{}, finished: map[string]int{}} }

// other is the folder of the other language's programs.
func other(folders map[string]string, bin string) string {
	if bin == folders["Go"] {
		return folders["C"]
	}
	return folders["Go"]
}

// testKilledAtAnyTime kills dispatchers in the middle of a stream of jobs, again and
// again, and lets the other language's go on.
func testKilledAtAnyTime(t *testing.T, folders map[string]string) {
	r := newRig(t, folders["Go"])
	random := rand.New(rand.NewPCG(3, 4))
	l := newLedger()
	queued := map[string]bool{}
	rounds := 0
	for ; rounds < 24 || rounds < 500 && len(l.interrupted) == 0; rounds++ {
		d := r.launch(r.command("job_dispatcher", "--workers", fmt.Sprint(1+rounds%4)))
		for range 4 {
			out := r.submit("echo $JOB_ID >> ran; sleep 0.005")
			queued[fmt.Sprint(numbered(out))] = true
		}
		time.Sleep(time.Duration(random.IntN(20000)) * time.Microsecond) // any time will do
		d.kill()
		l.add(d.log.String())
		r.bin = other(folders, r.bin)
	}
	d := r.start("--workers", "4")
	l.add(r.drain(d))
	assert.Len(t, queued, rounds*4)
	l.check(t, r.runs("ran"), queued)
	assert.NotEmpty(t, l.interrupted, "none was killed in the middle of a job")
}

// testInterruptedJobsNeverOverlap has a job notice whether its first self still runs.
func testInterruptedJobsNeverOverlap(t *testing.T, folders map[string]string) {
	for language, bin := range folders {
		t.Run(language+" goes on after the other", func(t *testing.T) {
			r := newRig(t, other(folders, bin))
			d := r.start()
			// Processes in a group and a session of their own, without the output.
			r.write("job", `touch pids
for p in $(cat pids); do
	case "$(cut -d" " -f3 /proc/$p/stat 2>/dev/null)" in ""|Z|X) ;; *) echo $p >> alive;; esac
done
before=$(wc -l < pids)
setsid sh -c 'echo $$ >> pids; exec sleep 60 > /dev/null 2>&1' &
echo $$ >> pids
while [ $(wc -l < pids) -lt $((before + 2)) ]; do sleep 0.01; done
echo x >> begun
test -s again || wait
`)
			r.submit("sh job")
			r.waitForFile("begun")
			d.kill()
			r.write("again", "x")
			r.bin = bin
			next := r.start()
			next.waitFor(`^Dispatcher: Job 1 was interrupted; queued again$`)
			next.waitFor(`^Dispatcher: Job 1 finished: exit status 0$`)
			assert.Empty(t, r.file("alive"))
			assert.Equal(t, "x\nx\n", r.file("begun"))
			for _, pid := range strings.Fields(r.file("pids")) {
				_ = exec.Command("kill", "-9", pid).Run()
			}
			r.drain(next)
		})
	}
}

// tampered is a program whose system calls are tampered with: "kill 3 write", "delay
// 1000 mq_open,close".
func (r *rig) tampered(how, program string, args ...string) *exec.Cmd {
	cmd := r.command(program, args...)
	cmd.Args = slices.Concat([]string{"tamper"}, strings.Fields(how), []string{cmd.Path}, cmd.Args[1:])
	cmd.Path = ipctest.CProgram(r.t, "testdata/tamper.c")
	// The sanitizer's own tracing does not go with another one.
	cmd.Env = append(os.Environ(), "ASAN_OPTIONS=detect_leaks=0")
	return cmd
}

// testSubmitterKilledAtEveryStep kills submit_job before each of its system calls. A
// job that it said was queued runs once; another one runs once or never.
func testSubmitterKilledAtEveryStep(t *testing.T, folders map[string]string) {
	for language, bin := range folders {
		t.Run(language, func(t *testing.T) {
			r := newRig(t, bin)
			queued := map[string]bool{}
			kills := 0
			for _, call := range []string{"mkdir,mkdirat", "openat", "write", "fsync", "flock", "mq_open", "pwrite64",
				"utimensat", "link,linkat", "close", "unlink,unlinkat", "mq_timedsend"} {
				for n := 1; n <= 16; n++ {
					cmd := r.tampered(fmt.Sprintf("kill %d %s", n, call), "submit_job", "--nonblock", "--cmd", "echo $JOB_ID >> ran")
					var out bytes.Buffer
					cmd.Stdout, cmd.Stderr = &out, &out
					err := cmd.Run()
					if id := numbered(out.String()); id != 0 {
						assert.False(t, queued[fmt.Sprint(id)], "number %d was given twice", id)
						queued[fmt.Sprint(id)] = true
					}
					if err == nil || strings.Contains(out.String(), "full") {
						break // it does not make the call so often
					}
					kills++
				}
				if call == "close" { // make room
					drainWith(r, other(folders, bin))
				}
			}
			assert.Greater(t, kills, 12)
			drainWith(r, other(folders, bin))
			for id, n := range r.runs("ran") {
				assert.Equal(t, 1, n, "job %s", id)
			}
			for id := range queued {
				assert.Equal(t, 1, r.runs("ran")[id], "job %s", id)
			}
		})
	}
}

func drainWith(r *rig, bin string) string {
	r.t.Helper()
	mine := r.bin
	r.bin = bin
	defer func() { r.bin = mine }()
	return r.drain(r.start("--workers", "2"))
}

// testDispatcherKilledAtEveryStep kills a dispatcher before each of its system calls,
// and lets the other language's go on.
func testDispatcherKilledAtEveryStep(t *testing.T, folders map[string]string) {
	for language, bin := range folders {
		t.Run(language, func(t *testing.T) {
			r := newRig(t, bin)
			l := newLedger()
			queued := map[string]bool{}
			kills := 0
			for _, call := range []string{"rename,renameat,renameat2", "unlink,unlinkat", "mq_timedreceive", "mq_notify",
				"write", "flock", "clone,clone3,vfork", "fcntl", "wait4,waitid", "close"} {
				for n := 1; n <= 10; n++ {
					for range 3 {
						out := r.submit("echo $JOB_ID >> ran")
						queued[fmt.Sprint(numbered(out))] = true
					}
					d := r.launch(r.tampered(fmt.Sprintf("kill %d %s", n, call), "job_dispatcher", "--workers", "2"))
					killed := make(chan error, 1)
					go func() { killed <- d.Wait() }()
					ended := false
					ipctest.Eventually(t, func() bool {
						select {
						case <-killed:
							ended = true
						default:
						}
						return ended || strings.Count(d.log.String(), " finished: ") >= 3
					}, "it is killed, or has run its jobs")
					if !ended {
						_ = Shutdown(t.Context(), r.place, Patience{}) // it may be killed by then
						<-killed
					}
					l.add(d.log.String())
					l.add(drainWith(r, other(folders, bin)))
					if !ended {
						break // it does not make the call so often
					}
					kills++
				}
			}
			assert.Greater(t, kills, 15)
			l.check(t, r.runs("ran"), queued)
		})
	}
}
