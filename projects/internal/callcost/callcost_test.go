package callcost

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/measure/measuretest"
)

func TestMain(m *testing.M) {
	Role()
	os.Exit(ipctest.Main(m))
}

var languages = map[string]measure.Program{"Go": inGo, "C": inC}

func TestAllRowsAreMeasuredInGoAndC(t *testing.T) {
	cfg := measuretest.Twin(t, "callcost")
	cfg.Sizes = []int{1, 15, 16, 17, 64, 4096}
	rows := Rows(*cfg)
	require.Len(t, rows, 2*6)
	variants := map[string][]string{
		"call_mq_send_receive": {"Go", "C", "C, 2 threads"}, "call_msgsnd_msgrcv": {"Go", "C"},
	}
	for _, r := range measuretest.Run(t, rows, cfg) {
		var names []string
		for _, v := range r.Variants {
			names = append(names, v.Name)
		}
		assert.Equal(t, variants[r.Name], names)
	}
}

func TestRowsCarryTheGoals(t *testing.T) {
	goals := map[string]map[int]float64{}
	for _, r := range Rows(measure.Config{}) {
		if goals[r.Name] == nil {
			goals[r.Name] = map[int]float64{}
		}
		goals[r.Name][r.Size] = r.Variants[1].Goal
		assert.Equal(t, "message queue calls", r.Group)
	}
	want := map[int]float64{64: 0.90, 1 << 10: 0.90, 16 << 10: 0.90}
	assert.Equal(t, map[string]map[int]float64{"call_mq_send_receive": want, "call_msgsnd_msgrcv": want}, goals)
}

func TestMessagesOverTheLimitAreMeasuredInANamespaceOrSaidToBeImpossible(t *testing.T) {
	cfg := measuretest.Twin(t, "callcost")
	cfg.Sizes = []int{20_000_003} // over what any system is set to, and over what POSIX queues can be
	before, err := os.ReadFile("/proc/sys/kernel/msgmax")
	require.NoError(t, err)
	res, err := measure.Run(t.Context(), Rows(*cfg), *cfg, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, 2)
	assert.Contains(t, res.Rows[0].Skipped, "sysctl -w fs.mqueue.msgsize_max=20000003, or CAP_SYS_ADMIN")
	if exec.Command("unshare", "-i", "true").Run() == nil && unix.Access("/proc/sys/kernel/msgmax", unix.W_OK) == nil {
		assert.Empty(t, res.Rows[1].Skipped+res.Rows[1].Failed)
		require.Len(t, res.Rows[1].Variants, 2)
	} else {
		assert.Contains(t, res.Rows[1].Skipped, "sysctl -w kernel.msgmax=20000003 kernel.msgmnb=20000003, or CAP_SYS_ADMIN")
	}
	after, err := os.ReadFile("/proc/sys/kernel/msgmax")
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after), "the limit here is as it was")
}

func TestWithoutTheCProgramOnlyGoIsMeasured(t *testing.T) {
	measuretest.WithoutC(t, Rows(measure.Config{Sizes: []int{16}}))
}

// broken is a queue that does one thing wrong at the third message.
type broken struct {
	sent, got []byte
	passed    int
	harm      func(q *broken) int
	closed    bool
}

func (q *broken) buffers() (sent, got []byte) { return q.sent, q.got }
func (q *broken) close() error                { q.closed = true; return nil }

func (q *broken) pass(uint64) (int, error) {
	n := copy(q.got, q.sent)
	if q.passed++; q.passed == 3 {
		n = q.harm(q)
	}
	return n, nil
}

func TestEveryMessageIsVerified(t *testing.T) {
	for what, harm := range map[string]func(q *broken) int{
		"short":             func(q *broken) int { return len(q.got) - 1 },
		"of another number": func(q *broken) int { q.got[0]++; return len(q.got) },
		"cut":               func(q *broken) int { q.got[len(q.got)-1]++; return len(q.got) },
		"changed within":    func(q *broken) int { q.got[len(q.got)/2]++; return len(q.got) },
	} {
		for _, warmup := range []uint64{0, 5} { // the third is the last, or one of the warm-up
			for _, size := range []int{20, 40} {
				q := &broken{sent: make([]byte, size), got: make([]byte, size), harm: harm}
				_, err := (&role{size: size, count: 3, warmup: warmup}).run(q)
				assert.Error(t, err, "a message %s", what)
				assert.True(t, q.closed)
			}
		}
	}
}

func TestRolesRefuseTheSameCommandLinesInGoAndC(t *testing.T) {
	measuretest.CommandLines{
		"help has an example":      {"--help", 0, "example:"},
		"nothing":                  {"", 2, "--queue is posix or sysv"},
		"an unknown flag":          {"--nonsense", 2, "nonsense"},
		"an unknown queue":         {"--queue bus", 2, "--queue is"},
		"a size of nothing":        {"--queue posix --size 0", 2, "--size"},
		"a size that is no number": {"--queue posix --size x", 2, ""},
		"a count of nothing":       {"--queue sysv --count 0", 2, "--count"},
		"a negative count":         {"--queue sysv --count -1", 2, ""},
		"an argument too many":     {"--queue sysv more", 2, ""},
		"a short run":              {"--queue sysv --count 2 --warmup 0", 0, `{"count":2,"ns":`},
		"with a second thread":     {"--queue posix --count 2 --warmup 0 --threaded", 0, `{"count":2,"ns":`},
	}.Answered(t, measuretest.Twin(t, "callcost"), languages)
}
