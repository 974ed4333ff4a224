package transfer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/measure/measuretest"
)

func TestMain(m *testing.M) {
	Role()
	os.Exit(ipctest.Main(m))
}

var languages = map[string]measure.Program{"Go": inGo, "C": inC}

func TestEveryChannelCarriesVerifiedMessagesBetweenGoAndC(t *testing.T) {
	cfg := measuretest.Twin(t, "transfer")
	for _, channel := range Channels {
		for a, first := range languages {
			for b, second := range languages {
				t.Run(fmt.Sprintf("%s from %s to %s", channel, a, b), func(t *testing.T) {
					for _, size := range []int{1, 15, 16, 64, 4096, 70_001, 1 << 20} {
						n := int64(max(3, min(300, 1<<20/size)))
						for _, roundTrip := range []bool{false, true} {
							j := job{channel: channel, size: size, roundTrip: roundTrip}
							s, err := j.run(t.Context(), cfg, first, second, n)
							if err != nil && size > 8192 && strings.HasSuffix(channel, "_mq") {
								// Unless this machine allows more, which makes it no worse.
								require.ErrorContains(t, err, "cannot be measured here")
								require.ErrorContains(t, err, "sysctl ")
								continue
							}
							require.NoError(t, err, "%+v", j)
							assert.Equal(t, n, s.Verified)
							assert.Positive(t, s.Elapsed)
							if roundTrip {
								require.NotNil(t, s.Times)
								assert.Equal(t, n, s.Times.TotalCount())
								assert.Positive(t, s.Times.Min())
								assert.InEpsilon(t, float64(s.Elapsed)/float64(n), s.Times.Mean(), 0.01)
							} else {
								assert.Nil(t, s.Times)
							}
						}
					}
				})
			}
		}
	}
}

func TestFramesHaveOneLayoutInGoAndC(t *testing.T) {
	cfg := measuretest.Twin(t, "transfer")
	for _, channel := range streams {
		for a, first := range languages {
			for b, second := range languages {
				for _, j := range []job{
					{channel: channel, size: 64, batch: FrameBuffer},
					{channel: channel, size: 1, batch: 9},
					{channel: channel, size: 1000, batch: 1008},
					{channel: channel, size: 1000, batch: 4096},
				} {
					s, err := j.run(t.Context(), cfg, first, second, 2000)
					require.NoError(t, err, "%+v from %s to %s", j, a, b)
					assert.Equal(t, int64(2000), s.Verified)
				}
			}
		}
	}
}

func TestPeerThatIsGoneIsAnErrorAtOnce(t *testing.T) {
	cfg := measuretest.Twin(t, "transfer")
	for name, test := range map[string]struct {
		program measure.Program
		want    string
	}{
		"killed":               {measuretest.Script("kill -9 $$"), "killed by SIGKILL"},
		"failed":               {measuretest.Script("echo broken >&2; exit 1"), "broken"},
		"could not be started": {func(*measure.Config) ([]string, error) { return []string{"/nowhere"}, nil }, "/nowhere"},
	} {
		for language, whole := range languages {
			for _, channel := range Channels {
				for i, pair := range [][2]measure.Program{{test.program, whole}, {whole, test.program}} {
					j := job{channel: channel, size: 64, roundTrip: i == 1}
					_, err := j.run(t.Context(), cfg, pair[0], pair[1], 1000)
					require.ErrorContains(t, err, test.want, "a peer that %s, on %s, beside %s", name, channel, language)
				}
			}
		}
	}
}

func TestPeerThatDoesNotTakePartIsEndedByTheWatchdog(t *testing.T) {
	cfg := measuretest.Twin(t, "transfer")
	reason := errors.New("no end")
	for name, idle := range map[string]measure.Program{
		"sleeps":               measuretest.Script("sleep 1000"),
		"cannot be terminated": measuretest.Script("trap '' TERM INT HUP; while :; do sleep 1000; done"),
		"ends without a word":  measuretest.Script("exit 0"), // the other waits for ever for the FIFO to be opened
	} {
		for language, whole := range languages {
			for _, pair := range [][2]measure.Program{{idle, whole}, {whole, idle}} {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, reason)
				_, err := (&job{channel: "fifo", size: 64}).run(ctx, cfg, pair[0], pair[1], 1000)
				cancel()
				require.ErrorIs(t, err, reason, "a peer that %s, beside %s", name, language)
			}
		}
	}
}

func TestWhatTheProcessesReportIsCompared(t *testing.T) {
	say := func(json string) measure.Program { return measuretest.Script("echo '" + json + "'") }
	for name, test := range map[string]struct {
		a, b measure.Program
		want string
	}{
		"fewer messages than asked for": {say(`{"count":9}`), say(`{"count":10,"ns":5,"sums":65}`), "send: 9 messages of 10"},
		"the reader has fewer":          {say(`{"count":10}`), say(`{"count":9,"ns":5,"sums":65}`), "recv: 9 messages of 10"},
		"checksums are missing":         {say(`{"count":10}`), say(`{"count":10,"ns":5,"sums":64}`), "64 checksums of 65 were compared"},
		"no JSON":                       {say(`{"count":10}`), say(`done`), "recv: invalid character"},
	} {
		_, err := (&job{channel: "pipe", size: 64}).run(t.Context(), &measure.Config{}, test.a, test.b, 10)
		assert.ErrorContains(t, err, test.want, name)
	}
}
