package stress

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/exercise"
)

// few is how many operations each worker does here.
const few = 80

// runOne runs one scenario and is its result.
func runOne(t *testing.T, ctx context.Context, sc *Scenario, o Options) (res *Result) {
	t.Helper()
	left := Run(ctx, []*Scenario{sc}, o, func(r *Result) { res = r })
	require.Empty(t, left)
	require.NotNil(t, res)
	return res
}

func TestWhatMustHoldHoldsUnderFaults(t *testing.T) {
	stops, signals := uint64(0), uint64(0)
	for _, sc := range All() {
		t.Run(sc.Name, func(t *testing.T) {
			r := runOne(t, t.Context(), sc, Options{Seed: 20, Rounds: 1, Ops: few})
			require.NoError(t, r.Failure, r.Replay())
			assert.Empty(t, r.Left)
			assert.Equal(t, 1, r.Rounds)
			assert.Positive(t, r.Operations)
			assert.Positive(t, r.Checked)
			assert.Positive(t, r.Kills)
			assert.Equal(t, "ok", r.Verdict())
			stops += r.Stops
			signals += r.Signals
		})
	}
	assert.Positive(t, stops)
	assert.Positive(t, signals)
}

// found is the invariant by which a sabotaged scenario is to be found out.
var found = map[string]string{
	"pipe":        "every message comes",
	"fifo":        "a message comes as it was sent",
	"unix_dgram":  "every message comes",
	"unix_rights": keepsNone,
	"posix_mq":    "a message has the class that it was sent with",
	"mq_notify":   "everybody goes on",
	"sysv_mq":     "every message comes",
	"mutex_cond":  "no item is consumed twice",
	"rwlock":      "a reader sees no write by half",
	"reclock":     "no increment is lost",
	"posix_sem":   "the tokens that the dead did not hold are there",
	"sysv_sem":    "what the killed held is given back",
	"barrier":     "nobody passes before all have arrived",
	"shm_full":    "what was removed is gone",
	"sysv_shm":    "a removed segment is gone with its last mapping",
	"shm_ring":    "every message comes",
	"lock_free":   "every message comes",
	"kvstore":     "what was set is there",
	"mmapdb":      "a transaction is there as a whole",
	"sun_rpc":     "a sum is right",
}

func TestWhatIsDoneWrongIsFoundAndFoundAgainByItsSeed(t *testing.T) {
	for _, sc := range All() {
		t.Run(sc.Name, func(t *testing.T) {
			o := Options{Seed: 7, Rounds: 1, Ops: few, Sabotage: true}
			if sc == &notifyScenario {
				o.Patience = time.Second // that nobody goes on is what is to be found
			}
			first := runOne(t, t.Context(), sc, o)
			require.Error(t, first.Failure)
			assert.Equal(t, found[sc.Name], brokenInvariant(first), "%v", first.Failure)
			assert.Equal(t, "FAILED", first.Verdict())
			assert.Empty(t, first.Left, "after a failure, too")

			o.Seed = first.Seed
			again := runOne(t, t.Context(), sc, o)
			assert.Equal(t, brokenInvariant(first), brokenInvariant(again), "%v", again.Failure)
		})
	}
}

// brokenInvariant is the name of the one that did not hold, "" if it was something else.
func brokenInvariant(r *Result) string {
	var v *Violation
	if errors.As(r.Failure, &v) {
		return v.Invariant
	}
	return ""
}

func TestASeedFixesThePlan(t *testing.T) {
	for _, sc := range All() {
		for seed := range uint64(200) {
			p := newPlan(sc, seed, few, false)
			require.Equal(t, p, newPlan(sc, seed, few, false))
			require.NotEqual(t, p, newPlan(sc, nextSeed(seed), few, false))
			for i := range sc.workers {
				require.LessOrEqual(t, len(p.deaths[i]), maxDeaths)
				for _, d := range p.deaths[i] {
					require.Less(t, d.op, uint64(few))
					require.Contains(t, append(sc.deaths(i), middle), d.at)
				}
			}
			if sc.victim >= 0 {
				require.NotEmpty(t, p.deaths[sc.victim])
			}
			p = newPlan(sc, seed, few, true)
			for _, deaths := range p.deaths {
				for _, d := range deaths {
					require.NotEqual(t, outside, d.at, "of which nobody knows where it comes")
				}
			}
		}
	}
}

func TestSeedsDoNotComeRoundSoon(t *testing.T) {
	seen := map[uint64]bool{}
	for seed := uint64(0); len(seen) < 10_000; seed = nextSeed(seed) {
		require.False(t, seen[seed])
		seen[seed] = true
	}
}

// The scenarios below are no mechanisms. A worker looks its scenario up by name, so theirs
// is another's.
func scenarioOf(round func(*round) error) *Scenario {
	sc := pipeScenario
	sc.round = round
	return &sc
}

func TestWhatAScenarioLeavesBehindIsTold(t *testing.T) {
	var fds []int
	sc := scenarioOf(func(r *round) error {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		fds = append(fds, fd)
		return errors.Join(err, os.WriteFile(filepath.Join("/dev/shm", r.name()), nil, 0o600))
	})
	old := leakPatience
	leakPatience = 0
	defer func() { leakPatience = old }()
	r := runOne(t, t.Context(), sc, Options{Rounds: 1, Ops: few})
	require.NoError(t, r.Failure)
	require.Len(t, r.Left, 2)
	assert.False(t, r.Good())
	assert.Contains(t, r.Left[0], "/dev/shm/unpipc-")
	assert.Contains(t, r.Left[1], "[eventfd]")
	require.NoError(t, errors.Join(os.Remove(r.Left[0]), unix.Close(fds[0])))
}

func TestAWorkerThatDiesUnplannedIsAFailure(t *testing.T) {
	sc := scenarioOf(func(r *round) error {
		r.plan.deaths = make([][]death, r.sc.workers) // as far as this process knows
		return pipeRound(r)
	})
	r := runOne(t, t.Context(), sc, Options{Seed: 1, Rounds: 1, Ops: few})
	require.Error(t, r.Failure)
	assert.Regexp(t, `^worker \d, killed by SIGKILL`, r.Failure.Error())
	assert.Empty(t, r.Left)
}

func TestTheEndOfTheContextEndsARunWithNothingLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sc := scenarioOf(func(r *round) error {
		r.ended = func(int, bool) error { return nil }
		cancel()
		return pipeRound(r)
	})
	r := runOne(t, ctx, sc, Options{Rounds: 100})
	assert.True(t, r.Interrupted)
	assert.NoError(t, r.Failure)
	assert.Empty(t, r.Left)
	assert.Equal(t, "interrupted", r.Verdict())
}

func TestScenariosRunInParallel(t *testing.T) {
	var results []*Result
	left := Run(t.Context(), []*Scenario{&pipeScenario, &sysvSemScenario, &barrierScenario, &sysvMQScenario},
		Options{Seed: 3, Rounds: 1, Ops: few, Parallel: 3}, func(r *Result) { results = append(results, r) })
	assert.Empty(t, left)
	require.Len(t, results, 4)
	for i, r := range Sorted(results) {
		assert.NoError(t, r.Failure)
		assert.Equal(t, []string{"pipe", "sysv_mq", "sysv_sem", "barrier"}[i], r.Scenario.Name)
	}
}

// A suite that goes on until it is killed.
var _ = ipctest.Role("suite", func([]string) int {
	Run(context.Background(), []*Scenario{&sysvMQScenario}, Options{Seed: 1, Duration: time.Hour, Ops: MostOps}, func(*Result) {})
	return 1
})

func TestWhatAKilledSuiteLeavesIsFoundWhenItIsDead(t *testing.T) {
	cmd := ipctest.Command(t, "suite")
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	require.NoError(t, cmd.Start())
	queues := func() (n int) {
		all, err := sysvmq.List()
		require.NoError(t, err)
		for _, st := range all {
			if pid, ours := keyPID(st.Key); ours && pid == cmd.Process.Pid {
				n++
			}
		}
		return n
	}
	ipctest.Eventually(t, func() bool { return queues() > 0 }, "a queue is made")
	// Its pid: others may have left something, too.
	mine := func() (mine []exercise.Leftover) {
		left, err := Leftovers()
		require.NoError(t, err)
		for _, l := range left {
			if l.Why == fmt.Sprintf("process %d is gone", cmd.Process.Pid) {
				mine = append(mine, l)
			}
		}
		return mine
	}
	assert.Empty(t, mine(), "while it runs")
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	if queues() == 0 {
		return // it was killed between two rounds
	}
	left := mine()
	require.Len(t, left, 1)
	require.NoError(t, left[0].Remove())
	assert.Zero(t, queues())
}

func TestRoundsFillTheTimeThereIs(t *testing.T) {
	r := runOne(t, t.Context(), &posixSemScenario, Options{Seed: 3, Duration: time.Second, Ops: few})
	require.NoError(t, r.Failure)
	assert.Positive(t, r.Rounds)
}
