package p04posixmq

import (
	"math/rand/v2"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsAMessage(t *testing.T) {
	for _, c := range []struct {
		text    string
		id      int64
		command string
		ok      bool
	}{
		{"7 echo hi", 7, "echo hi", true},
		{"0 x", 0, "x", true},
		{"12  two blanks", 12, " two blanks", true},
		{"9223372036854775807 x", 9223372036854775807, "x", true},
		{"3 \xff\n\t", 3, "\xff\n\t", true},
		{"9223372036854775808 x", 0, "", false},
		{"99999999999999999999 x", 0, "", false},
		{"", 0, "", false},
		{"7", 0, "", false},
		{"7 ", 0, "", false},
		{" x", 0, "", false},
		{"echo hi", 0, "", false},
		{"-1 x", 0, "", false},
		{"+1 x", 0, "", false},
		{"01 x", 0, "", false},
		{"1\tx", 0, "", false},
		{"1 a\x00b", 0, "", false},
	} {
		id, command, ok := parseMessage([]byte(c.text))
		assert.Equal(t, c.ok, ok, "%q", c.text)
		if c.ok {
			assert.Equal(t, c.id, id, "%q", c.text)
			assert.Equal(t, c.command, command, "%q", c.text)
			assert.Equal(t, c.text, string(message(id, command)))
		}
	}
}

func TestWhatIsTheNameOfAQueue(t *testing.T) {
	for _, name := range []string{"/job_queue", "/a", "/a.b-c", "/..x", "/" + strings.Repeat("n", 255)} {
		assert.NoError(t, CheckQueueName(name))
	}
	for _, name := range []string{"", "job_queue", "/", "/.", "/..", "/a/b", "//a", "/" + strings.Repeat("n", 256)} {
		assert.Error(t, CheckQueueName(name), name)
	}
}

func TestTheStateOfAQueueIsFoundByItsName(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/7")
	assert.Equal(t, "/run/user/7/unpipc-jobs-q", DefaultState("/q"))
	t.Setenv("XDG_RUNTIME_DIR", "relative")
	assert.Regexp(t, `^/tmp/unpipc-jobs-\d+-q$`, DefaultState("/q"))
}

// random is a job with little to choose from, so that many are alike.
func random(r *rand.Rand, id int64) Job {
	priority := uint(r.IntN(4))
	if r.IntN(10) == 0 {
		priority = MaxPriority
	}
	return Job{ID: id, Priority: priority, Since: time.Unix(1e9, r.Int64N(5)*int64(time.Second))}
}

func TestJobsComeOutInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, aging := range []time.Duration{0, 1, time.Second, MaxAging} {
		w := waiting{has: map[int64]bool{}, aging: aging}
		var want []Job
		for id := range int64(1000) {
			j := random(r, id)
			require.True(t, w.add(j))
			require.False(t, w.add(j))
			want = append(want, j)
		}
		sort.Slice(want, func(a, b int) bool { return before(&want[a], &want[b], aging) })
		require.Equal(t, len(want), w.len())
		for i := range want {
			require.Equal(t, want[i], w.next())
		}
		require.Zero(t, w.len())
		require.Empty(t, w.has)
	}
}

func TestOrder(t *testing.T) {
	start := time.Unix(1e9, 0)
	job := func(id int64, priority uint, after time.Duration) *Job {
		return &Job{ID: id, Priority: priority, Since: start.Add(after)}
	}
	for _, c := range []struct {
		what          string
		first, second *Job
		aging         time.Duration
	}{
		{"the higher priority", job(2, 5, time.Hour), job(1, 4, 0), 0},
		{"the lower number within one priority", job(1, 5, time.Hour), job(2, 5, 0), 0},
		{"the one that has gained more by waiting", job(1, 1, 0), job(2, 4, 4*time.Second), time.Second},
		{"the higher priority, where waiting has not made up for it", job(2, 4, 2*time.Second), job(1, 1, 0), time.Second},
		{"the lower number, where waiting has just made up for it", job(1, 1, 0), job(2, 4, 3*time.Second), time.Second},
		{"the greatest priority with the greatest aging", job(2, MaxPriority, MaxAging), job(1, 0, 0), MaxAging},
	} {
		assert.True(t, before(c.first, c.second, c.aging), c.what)
		assert.False(t, before(c.second, c.first, c.aging), c.what)
	}
}

func TestWhatIsShownDoesNothingToATerminal(t *testing.T) {
	assert.Equal(t, `a\x1b[2J\x0a\x7f ü \`, show("a\x1b[2J\n\x7f ü \\"))
}
