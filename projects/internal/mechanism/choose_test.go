package mechanism_test

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/mechanism"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// sizes are below, between and above the limits there are.
var sizes = []string{"8", "8193", "204801"}

// needs calls f with every combination of answers that apply to each other.
func needs(f func(n mechanism.Need)) {
	var from func(i int, n mechanism.Need)
	from = func(i int, n mechanism.Need) {
		if i == len(mechanism.Questions) {
			f(n)
			return
		}
		q := &mechanism.Questions[i]
		if !q.Applies(&n) {
			from(i+1, n)
			return
		}
		var answers []string
		for _, a := range q.For(&n) {
			answers = append(answers, a.Name)
		}
		if answers == nil {
			answers = sizes
		}
		for _, a := range answers {
			next := n
			if err := q.Set(&next, a); err != nil {
				panic(err)
			}
			from(i+1, next)
		}
	}
	from(0, mechanism.Need{})
}

// facts are what the field knows of the mechanisms, written down a second time and in
// another form than in the catalog: who may be recommended for an answer. An answer that is
// not here demands nothing.
var facts = map[string]string{
	"for transfer":    "pipe fifo unix_stream unix_dgram unix_seqpacket posix_mq sysv_mq tcp rpc shm_ring spsc bounded_buffer",
	"for call":        "unix_stream unix_seqpacket sysv_mq tcp rpc shm_ring",
	"for state":       "memory_mutex memory_rwlock sysv_memory mmapdb kvstore kv",
	"for exclusion":   "mutex rwlock record_lock",
	"for count":       "posix_sem sysv_sem pool",
	"for meeting":     "barrier sysv_barrier",
	"between threads": "pipe fifo unix_stream unix_dgram unix_seqpacket posix_mq sysv_mq shm_ring spsc bounded_buffer memory_mutex memory_rwlock mutex rwlock posix_sem pool barrier",
	"between unrelated": "fifo unix_stream unix_dgram unix_seqpacket posix_mq sysv_mq tcp rpc shm_ring spsc bounded_buffer " +
		"memory_mutex memory_rwlock sysv_memory mmapdb kvstore kv mutex rwlock record_lock posix_sem sysv_sem pool barrier sysv_barrier",
	"between machines": "tcp rpc kv",
	"messages yes":     "unix_dgram unix_seqpacket posix_mq sysv_mq rpc shm_ring spsc bounded_buffer",
	"priority yes":     "posix_mq sysv_mq",
	"writers many": "pipe fifo unix_stream unix_dgram unix_seqpacket posix_mq sysv_mq tcp rpc bounded_buffer " +
		"memory_mutex memory_rwlock sysv_memory mmapdb kvstore kv",
	"readers share": "posix_mq sysv_mq bounded_buffer",
	"readers all":   "memory_rwlock mmapdb kvstore kv rwlock record_lock",
	"keep system":   "posix_mq sysv_mq memory_mutex memory_rwlock sysv_memory mmapdb kvstore kv",
	"keep disk":     "mmapdb kvstore kv",
	"crash survive": "pipe fifo unix_stream unix_dgram unix_seqpacket posix_mq sysv_mq tcp rpc shm_ring spsc memory_mutex sysv_memory mmapdb kvstore kv " +
		"mutex record_lock sysv_sem pool sysv_barrier",
	"crash notice":    "pipe fifo unix_stream unix_seqpacket tcp rpc shm_ring spsc memory_mutex mutex pool sysv_barrier",
	"speed user":      "shm_ring spsc bounded_buffer memory_mutex memory_rwlock mmapdb mutex rwlock posix_sem pool",
	"poll yes":        "pipe fifo unix_stream unix_dgram unix_seqpacket posix_mq tcp",
	"descriptors yes": "unix_stream unix_dgram unix_seqpacket",
}

// most are the bytes of a message that each one takes; of several writers where it differs.
func most(id string, n *mechanism.Need) int {
	switch id {
	case "spsc":
		return 8
	case "pipe", "fifo":
		if n.Writers == "many" {
			return 4096
		}
	case "posix_mq", "sysv_mq":
		return 8192
	case "unix_dgram", "unix_seqpacket":
		return 204800
	}
	return 1 << 30
}

// answers are a need's, as in facts.
func answers(n *mechanism.Need) []string {
	var all []string
	for _, pair := range [][2]string{{"for", n.For}, {"between", n.Between}, {"messages", n.Messages}, {"priority", n.Priority},
		{"writers", n.Writers}, {"readers", n.Readers}, {"keep", n.Keep}, {"crash", n.Crash}, {"speed", n.Speed}, {"poll", n.Poll},
		{"descriptors", n.Descriptors}} {
		if pair[1] != "" {
			all = append(all, pair[0]+" "+pair[1])
		}
	}
	return all
}

// meets says whether a mechanism does what a need demands, going by facts.
func meets(id string, n *mechanism.Need) bool {
	for _, a := range answers(n) {
		if list, demands := facts[a]; demands && !slices.Contains(strings.Fields(list), id) {
			return false
		}
	}
	return n.Size <= most(id, n)
}

func TestEveryNeedGetsAMechanismThatMeetsAllOfIt(t *testing.T) {
	asked, fitted := 0, 0
	seen := map[string]bool{}
	needs(func(n mechanism.Need) {
		asked++
		c := mechanism.Choose(n)
		// The answers may be known to be right or wrong for all mechanisms at once.
		fits := map[string]bool{}
		if c.Best != nil {
			fitted++
			fits[c.Best.ID] = true
			seen[c.Best.ID] = true
		}
		for _, m := range c.Others {
			fits[m.ID] = true
		}
		for i := range mechanism.Catalog {
			if id := mechanism.Catalog[i].ID; fits[id] != meets(id, &n) {
				require.Failf(t, "wrong", "%s for %v: fits is %v", id, n, fits[id])
			}
		}
		if m, why := c.RunnerUp(); m != nil {
			seen[m.ID] = true
			if m == c.Best || why == "" {
				require.Failf(t, "no runner-up", "%v", n)
			}
		}
		if c.Best == nil && (len(c.Because()) == 0 || len(c.Excluded) == 0) {
			require.Failf(t, "nothing fits, and no reason", "%v", n)
		}
	})
	assert.Greater(t, asked, 10_000)
	assert.Greater(t, fitted, 1000)
	for i := range mechanism.Catalog {
		assert.True(t, seen[mechanism.Catalog[i].ID], "%s is never recommended and never the runner-up", mechanism.Catalog[i].ID)
	}
}

func TestLimitsOfSizesAreExact(t *testing.T) {
	for i := range mechanism.Catalog {
		m := &mechanism.Catalog[i]
		if m.Most == 0 {
			continue
		}
		for size, fits := range map[int]bool{m.Most: true, m.Most + 1: false} {
			c := mechanism.Choose(mechanism.Need{For: mechanism.Transfer, Between: "related", Size: size})
			assert.Equal(t, fits, c.Best == m || slices.Contains(c.Others, m), "%s at %d", m.ID, size)
		}
	}
}

func TestWhatIsOfferedInsteadFitsWithThatOneAnswer(t *testing.T) {
	offered := 0
	i := 0
	needs(func(n mechanism.Need) {
		if i++; i%17 != 0 { // each need is alike many others
			return
		}
		c := mechanism.Choose(n)
		if c.Best != nil {
			return
		}
		for _, r := range c.Relax() {
			offered++
			for j := range mechanism.Questions {
				q := &mechanism.Questions[j]
				if q.Name == r.Question {
					require.NoError(t, q.Set(&n, r.Answer))
				}
			}
			require.True(t, meets(r.Best.ID, &n), "%s for %v", r.Best.ID, n)
			n = c.Need
		}
	})
	assert.Greater(t, offered, 100)
}

func TestKnownNeedsGetTheKnownAnswers(t *testing.T) {
	for _, c := range []struct{ about, need, want string }{
		{"a filter behind a program", "for=transfer between=related", "pipe"},
		{"a shell script's commands to a daemon", "for=transfer between=unrelated", "fifo"},
		{"jobs by urgency", "for=transfer between=unrelated priority=yes", "posix_mq"},
		{"log lines of many processes, whole", "for=transfer between=unrelated messages=yes writers=many", "unix_dgram"},
		{"handing over an accepted connection", "for=transfer between=related descriptors=yes messages=yes crash=notice", "unix_seqpacket"},
		{"market data", "for=transfer between=unrelated messages=yes speed=user size=1024", "shm_ring"},
		{"ticks of eight bytes", "for=transfer between=unrelated speed=user size=8", "spsc"},
		{"workers that share jobs", "for=transfer between=related readers=share speed=user", "bounded_buffer"},
		{"a server of clients here", "for=call between=unrelated writers=many", "unix_stream"},
		{"a server elsewhere, typed", "for=transfer between=machines messages=yes", "rpc"},
		{"a table of sessions", "for=state between=unrelated crash=survive", "memory_mutex"},
		{"a catalog that many read", "for=state between=unrelated readers=all keep=disk", "mmapdb"},
		{"configuration of a cluster", "for=state between=machines keep=disk crash=survive", "kv"},
		{"one instance only", "for=exclusion between=unrelated crash=survive readers=all", "record_lock"},
		{"a critical section", "for=exclusion between=threads", "mutex"},
		{"licenses", "for=count between=unrelated crash=survive", "sysv_sem"},
		{"connections of a pool", "for=count between=unrelated crash=notice", "pool"},
		{"phases of a simulation", "for=meeting between=related", "barrier"},
		{"phases, and workers that may die", "for=meeting between=related crash=notice", "sysv_barrier"},
		{"a broadcast", "for=transfer between=related readers=all", ""},
		{"urgent and without a call", "for=transfer between=related priority=yes speed=user", ""},
	} {
		t.Run(c.about, func(t *testing.T) {
			best := mechanism.Choose(need(t, c.need)).Best
			if c.want == "" {
				assert.Nil(t, best)
			} else if assert.NotNil(t, best) {
				assert.Equal(t, c.want, best.ID)
			}
		})
	}
}

func need(t *testing.T, text string) mechanism.Need {
	t.Helper()
	var n mechanism.Need
	given := map[string]string{}
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		given[name] = value
	}
	for i := range mechanism.Questions {
		q := &mechanism.Questions[i]
		if value, ok := given[q.Name]; ok {
			require.NoError(t, q.Set(&n, value), q.Name)
			delete(given, q.Name)
		}
	}
	require.Empty(t, given)
	return n
}

func TestAnswersAreNamesOrNumbers(t *testing.T) {
	q := &mechanism.Questions[0]
	var n mechanism.Need
	for i, a := range q.Answers {
		require.NoError(t, q.Set(&n, strconv.Itoa(i+1)))
		assert.Equal(t, a.Name, n.For)
	}
	for _, bad := range []string{"", "0", "7", "Transfer", "transfer ", "-1"} {
		assert.ErrorContains(t, q.Set(&n, bad), "is none of transfer, call")
	}
	for _, q := range mechanism.Questions {
		if q.Name == "size" {
			assert.Error(t, q.Set(&n, "large"))
			require.NoError(t, q.Set(&n, "4KiB"))
			assert.Equal(t, 4096, n.Size)
		}
		if q.Name == "poll" {
			require.NoError(t, q.Set(&n, "y"))
			assert.Equal(t, "yes", n.Poll)
		}
		if q.Name == "readers" {
			n = mechanism.Need{For: "state"}
			assert.Error(t, q.Set(&n, "share"), "state is not shared out")
		}
	}
}

func TestAdviceHasFiguresOfTheRunOnly(t *testing.T) {
	n := need(t, "for=transfer between=unrelated priority=yes size=900")
	var without, with bytes.Buffer
	require.NoError(t, mechanism.Choose(n).Write(&without, nil))
	assert.NotContains(t, without.String(), "msg/s")
	assert.Contains(t, without.String(), "benchmark --only")

	row := func(name string, size int, median float64) measure.Result {
		return measure.Result{Group: "transfer", Name: name, Size: size, Unit: measure.Messages,
			Variants: []measure.VariantResult{{Name: "Go", Values: []float64{median}, Median: median, Min: median, Max: median}}}
	}
	res := &measure.Results{Rows: []measure.Result{row("bw_posix_mq", 64, 1e6), row("bw_posix_mq", 1024, 5e5), row("bw_sysv_mq", 1024, 6e5),
		{Group: "transfer", Name: "lat_posix_mq", Size: 1024, Unit: measure.Nanoseconds, LowerIsBetter: true, Failed: "C: wrong"}}}
	require.NoError(t, mechanism.Choose(n).Write(&with, mechanism.FiguresOf(res)))
	assert.Contains(t, with.String(), "bw_posix_mq, 1 KiB: 500 k msg/s", "the nearest size")
	assert.NotContains(t, with.String(), "lat_posix_mq", "a failed row has no figures")
	assert.Contains(t, with.String(), "fastest     System V message queue")

	with.Reset()
	require.NoError(t, mechanism.Choose(need(t, "for=state keep=disk")).Write(&with, mechanism.FiguresOf(res)))
	assert.Contains(t, with.String(), "not in these results")
}

func TestEveryAnswerIsExplained(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, mechanism.Explain(&b))
	for _, q := range mechanism.Questions {
		assert.Contains(t, b.String(), "--"+q.Name+": "+q.Text)
		for _, a := range q.Answers {
			assert.Contains(t, b.String(), "  "+a.Name)
		}
	}
	assert.Contains(t, b.String(), "yes: POSIX message queue; System V message queue\n", "who has priorities")
}
