package linearizability_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/kvrpc"
	"unpipc/projects/p18rpckv"
)

// fault is what becomes of a server; undo makes it good.
type fault struct {
	apart bool
	strike,
	undo func(*server)
}

var faults = map[string]fault{
	"kill -9": {
		strike: (*server).kill,
		undo:   func(s *server) { s.start() },
	},
	"SIGSTOP": {
		strike: func(s *server) { s.signal(unix.SIGSTOP) },
		undo:   func(s *server) { s.signal(unix.SIGCONT) },
	},
	"cutting its cable": {
		apart:  true,
		strike: (*server).cut,
		undo:   (*server).heal,
	},
}

// A server after the other is struck, the one that leads every second time, while clients work
// at all of them; then nothing that they were told may contradict one single order.
func TestWhatClientsAreToldIsLinearizableUnder(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			f := startFleet(t, fault.apart)
			if fault.apart && !f.apart {
				t.Log("SIGSTOP instead of a cut cable: who is stopped hears nothing either")
				fault = faults["SIGSTOP"]
			}
			h, stop := newHistory(), make(chan struct{})
			var clients sync.WaitGroup
			for number := range 4 {
				addrs := f.addrs()
				c := p18rpckv.NewClient(slices.Concat(addrs[number%3:], addrs[:number%3]))
				clients.Go(func() {
					h.play(number, c, stop)
					assert.NoError(t, c.Close())
				})
			}
			end := sync.OnceFunc(func() {
				close(stop)
				clients.Wait() // what is under way belongs to the history
			})
			defer end()
			// more waits until the clients have gone on, or can not.
			more := func() {
				until, soon := h.count.Load()+60, time.Now().Add(4*time.Second)
				ipctest.Eventually(t, func() bool { return h.count.Load() >= until || time.Now().After(soon) }, "time goes on")
			}
			more()
			for round := range 3 {
				s := f.servers[rand.IntN(3)]
				if round%2 == 0 {
					s = f.leader()
				}
				fault.strike(s)
				more()
				fault.undo(s)
				more()
			}
			last := h.count.Load()
			ipctest.Eventually(t, func() bool { return h.count.Load() > last+20 }, "after all that the cluster answers")
			end()
			assert.Equal(t, porcupine.Ok, h.judge(t))
		})
	}
}

// reads is a history of one client that puts a value at the leader and gets it at another
// server, until the checker has something to say, or for a while.
func reads(t *testing.T, how kvrpc.Read) porcupine.CheckResult {
	f := startFleet(t, false)
	h := newHistory()
	leader := f.leader()
	to := p18rpckv.NewClient([]string{leader.addr})
	var from []*p18rpckv.Client
	for _, s := range f.servers {
		if s != leader {
			from = append(from, p18rpckv.NewClient([]string{s.addr}))
		}
	}
	defer func() {
		for _, c := range append(from, to) {
			assert.NoError(t, c.Close())
		}
	}()
	for n := range 40 {
		h.do(0, asked{kind: 'p', key: "key", anew: fmt.Sprint(n)}, func(ctx context.Context) (answered, error) {
			_, err := to.Put(ctx, []byte("key"), fmt.Append(nil, n))
			return answered{}, err
		})
		in := asked{kind: 'g', key: "key"}
		h.do(0, in, func(ctx context.Context) (answered, error) { return do(ctx, from[n%2], in, how, map[string]string{}) })
	}
	require.GreaterOrEqual(t, len(h.all), 40)
	return h.judge(t)
}

// The checker can say no: what a server has by itself is not always what was put last.
func TestTheCheckerCatchesStaleLocalReads(t *testing.T) {
	assert.Equal(t, porcupine.Illegal, reads(t, kvrpc.Read{Local: true}))
}

func TestWithoutLocalReadsTheSameHistoryIsLinearizable(t *testing.T) {
	assert.Equal(t, porcupine.Ok, reads(t, kvrpc.Read{}))
}
