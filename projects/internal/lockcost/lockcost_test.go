package lockcost

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixsem"
	"unpipc/gobind/sysvsem"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/measure/measuretest"
)

func TestMain(m *testing.M) {
	Role()
	os.Exit(ipctest.Main(m))
}

func TestAllRowsAreMeasuredInGoAndC(t *testing.T) {
	cfg := measuretest.Twin(t, "lockcost")
	cfg.Runs, cfg.Budget = 1, time.Millisecond // there are many rows
	rows := Rows(*cfg)
	// A record lock is either between processes or between threads.
	require.Len(t, rows, len(calls)+len(contended)+(2*len(counted)-2)*len(crews)+2*len(wakeUps)*(len(crews)-1))
	// Those of more and fewer are the same programs with another number.
	rows = slices.DeleteFunc(rows, func(r measure.Row) bool { return r.Workers == 1 || r.Workers == 8 })
	measuretest.Run(t, rows, cfg)
}

func TestRowsHaveTheBooksNamesAndTheGoal(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rows(measure.Config{}) {
		key := fmt.Sprint(r.Name, r.Workers)
		assert.False(t, seen[key], key)
		seen[key] = true
		if r.Workers > 0 {
			assert.True(t, strings.HasPrefix(r.What, fmt.Sprint(r.Workers)+" "), r.What)
			assert.Equal(t, r.Workers > 1, strings.HasSuffix(r.What, spread), r.What)
		}
		prefix, _, _ := strings.Cut(r.Name, "_")
		assert.Contains(t, []string{"call", "incr", "lat"}, prefix)
		assert.Equal(t, prefix == "lat", r.Unit.LowerIsBetter(), r.Name)
		assert.Equal(t, []string{"Go", "C"}, []string{r.Variants[0].Name, r.Variants[1].Name})
		goal := 0.0                             // the usual one
		if strings.HasSuffix(r.Name, "_libc") { // they show what a call into C costs
			goal = measure.NoGoal
		}
		assert.Equal(t, goal, r.Variants[1].Goal, r.Name)
	}
}

func TestEachMechanismHasARowWhereItIsToBeQuick(t *testing.T) {
	of := func(name string) string {
		_, lock, _ := strings.Cut(name, "_")
		for _, variation := range []string{"_threads", "_processes", "_libc", "_errorcheck", "_recursive", "_write"} {
			lock = strings.TrimSuffix(lock, variation)
		}
		return lock
	}
	all, kept := map[string]bool{}, map[string]bool{}
	for _, r := range Rows(measure.Config{}) {
		all[of(r.Name)] = true
		if !r.Detail {
			kept[of(r.Name)] = true
		}
	}
	assert.Equal(t, all, kept)
}

func TestWithoutTheCProgramOnlyGoIsMeasured(t *testing.T) {
	measuretest.WithoutC(t, Rows(measure.Config{})[:1])
}

var languages = map[string]measure.Program{"Go": inGo, "C": inC}

func TestEveryLockIsKeptByThreadsAndProcesses(t *testing.T) {
	cfg := measuretest.Twin(t, "lockcost")
	var ran []int
	for name, kind := range kinds {
		for language, p := range languages {
			for _, flags := range []string{"--workers 3 --count 1000", "--workers 3 --count 1000 --processes"} {
				switch {
				case name == "sync_mutex" && (language == "C" || strings.Contains(flags, "processes")),
					kind.amongProcesses && !strings.Contains(flags, "processes"):
					continue
				case kind.alone:
					flags = "--count 7"
				}
				cmd := measuretest.Command(t, cfg, p, "--lock "+name+" "+flags)
				text, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s in %s, %s: %s", name, language, flags, text)
				ran = append(ran, cmd.Process.Pid)
				assert.Regexp(t, `^{"count":\d+,"ns":[1-9]\d*}\n$`, string(text), "%s in %s, %s", name, language, flags)
			}
		}
	}
	names, err := posixsem.List()
	require.NoError(t, err)
	for _, pid := range ran {
		_, err := sysvsem.Get(setKey(pid), 1, 0)
		assert.ErrorIs(t, err, fs.ErrNotExist)
		assert.NotContains(t, names, semName(pid))
	}
}

// TestALockThatLetsAllInIsFound uses none.
func TestALockThatLetsAllInIsFound(t *testing.T) {
	nothing := func() error { return nil }
	lost := func(m *memory, one, other *worker) error { // an increment between the other's two halves
		before := m.counter
		if err := one.increments(nothing, nothing)(1); err != nil {
			return err
		}
		m.counter = before
		return other.increments(nothing, nothing)(1)
	}
	r := &role{lock: "none", workers: 1, count: 2}
	r.kind = kind{join: func(w *worker) (work, error) {
		return func(uint64) error { return lost(w.memory, w, &worker{w.memory, 1}) }, nil
	}}
	_, err := r.run()
	assert.EqualError(t, err, "none: the counter is at 1 after 2 increments")
}

func TestWhoGoesOnOutOfTurnIsFound(t *testing.T) {
	m, err := newMemory()
	require.NoError(t, err)
	defer m.close()
	free := func() error { return nil }
	m.workers = 2
	first, second := &worker{m, 0}, &worker{m, 1}
	assert.Error(t, second.handing(free, free)(1))
	assert.NoError(t, first.handing(free, free)(1))
	assert.Error(t, first.handing(free, free)(1))
	assert.NoError(t, second.handing(free, free)(1))
}

func TestAWorkerThatFailsEndsTheRun(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		r := &role{lock: "broken", workers: 3, count: 3}
		r.kind = kind{join: func(w *worker) (work, error) {
			if when == "before" && w.index == 1 {
				return nil, unix.EPERM
			}
			return func(uint64) error { return map[bool]error{true: unix.EPERM}[w.index == 1] }, nil
		}}
		_, err := r.run()
		assert.ErrorIs(t, err, unix.EPERM, when)
	}
}

func TestRolesRefuseTheSameCommandLinesInGoAndC(t *testing.T) {
	measuretest.CommandLines{
		"help has an example":             {"--help", 0, "example:"},
		"nothing":                         {"", 2, "--lock is one of"},
		"an unknown flag":                 {"--nonsense", 2, "nonsense"},
		"an unknown lock":                 {"--lock door", 2, "mutex_robust"},
		"no workers":                      {"--lock mutex --workers 0", 2, "--workers"},
		"too many workers":                {"--lock mutex --workers 17", 2, "--workers"},
		"workers that are no number":      {"--lock mutex --workers x", 2, ""},
		"one who takes turns":             {"--lock cond_turns", 2, "--workers"},
		"several readers":                 {"--lock rwlock_read --workers 2", 2, "lets several in"},
		"threads under a process's lock":  {"--lock reclock --workers 2", 2, "--processes"},
		"a count of nothing":              {"--lock mutex --count 0", 2, "--count"},
		"a negative count":                {"--lock mutex --count -1", 2, ""},
		"an argument too many":            {"--lock mutex more", 2, ""},
		"more workers than operations":    {"--lock sem --workers 4 --count 2", 0, `{"count":2,"ns":`},
		"the same workers, but processes": {"--lock sem --workers 4 --count 2 --processes", 0, `{"count":2,"ns":`},
	}.Answered(t, measuretest.Twin(t, "lockcost"), languages)
}

func TestSemaphoresOfAKilledRunAreFound(t *testing.T) {
	cfg := measuretest.Twin(t, "lockcost")
	for lock, object := range map[string]func(pid int) (name string, there func() bool){
		"semop": func(pid int) (string, func() bool) {
			return fmt.Sprint(setKey(pid)), func() bool { _, err := sysvsem.Get(setKey(pid), 1, 0); return err == nil }
		},
		"sem_named": func(pid int) (string, func() bool) {
			return semName(pid), func() bool {
				// sem_open(3) makes it by another name first, which it must not be killed before it
				// has removed.
				var st unix.Stat_t
				return unix.Stat("/dev/shm/sem."+strings.TrimPrefix(semName(pid), "/"), &st) == nil && st.Nlink == 1
			}
		},
	} {
		for language, p := range languages {
			// Nobody can do so many before he is killed.
			cmd := measuretest.Command(t, cfg, p, "--lock "+lock+" --count 4000000000000")
			require.NoError(t, cmd.Start())
			name, there := object(cmd.Process.Pid)
			ipctest.Eventually(t, there, "the semaphore is made")
			assert.Empty(t, mine(t, name), "it is running")
			require.NoError(t, cmd.Process.Kill())
			_ = cmd.Wait()
			left := mine(t, name)
			require.Len(t, left, 1, "%s in %s", lock, language)
			require.NoError(t, left[0].Remove())
			assert.False(t, there())
		}
	}
}

// mine are the leftovers with this name: others may have been left by others.
func mine(t *testing.T, name string) []exercise.Leftover {
	t.Helper()
	left, err := Leftovers()
	require.NoError(t, err)
	return slices.DeleteFunc(left, func(l exercise.Leftover) bool { return !strings.Contains(l.Name, name) })
}
