package linearizability_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/kvrpc"
	"unpipc/projects/p18rpckv"
)

// asked and answered are an operation of a history.
type asked struct {
	kind      byte // 'g'et, 'p'ut, 'd'elete, 'c'ompare and swap
	key       string
	old, anew string // "" is no such key, of old
}

type answered struct {
	value   string // of a get; "" is no such key
	right   bool   // a delete found the key, a swap the old value
	unknown bool   // whether it was done, and what it found
}

// model is what one key is to be like.
var model = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[string][]porcupine.Operation{}
		for _, o := range history {
			key := o.Input.(asked).key
			byKey[key] = append(byKey[key], o)
		}
		var all [][]porcupine.Operation
		for _, part := range byKey {
			all = append(all, part)
		}
		return all
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(string), input.(asked), output.(answered)
		switch in.kind {
		case 'p':
			return true, in.anew
		case 'd':
			return out.unknown || out.right == (now != ""), ""
		case 'c':
			same := now == in.old
			if same {
				now = in.anew
			}
			return out.unknown || out.right == same, now
		}
		return out.value == now, now
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%c%+v -> %+v", input.(asked).kind, input, output) },
}

// history is what clients asked and were answered.
type history struct {
	begin time.Time
	count atomic.Int64 // of operations that have ended
	mu    sync.Mutex
	all   []porcupine.Operation
}

func newHistory() *history { return &history{begin: time.Now()} }

// do makes an operation and takes it down. One of unknown outcome may be done at any time
// later; one that failed was not done.
func (h *history) do(client int, in asked, call func(ctx context.Context) (answered, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	o := porcupine.Operation{ClientId: client, Input: in, Call: time.Since(h.begin).Nanoseconds()}
	out, err := call(ctx)
	o.Output, o.Return = out, time.Since(h.begin).Nanoseconds()
	h.count.Add(1)
	switch {
	case err == nil:
	case errors.Is(err, p18rpckv.ErrUnknown) && in.kind != 'g':
		o.Output, o.Return = answered{unknown: true}, math.MaxInt64
	default:
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, o)
}

// play has a client make operations at random keys until it is told to stop.
func (h *history) play(number int, c *p18rpckv.Client, stop <-chan struct{}) {
	rng := rand.New(rand.NewPCG(uint64(number), 1))
	seen := map[string]string{}
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		in := asked{kind: "gggppccd"[rng.IntN(8)], key: fmt.Sprint("key ", rng.IntN(3)), anew: fmt.Sprintf("%d of %d", n, number)}
		in.old = seen[in.key]
		h.do(number, in, func(ctx context.Context) (answered, error) { return do(ctx, c, in, kvrpc.Read{}, seen) })
	}
}

func do(ctx context.Context, c *p18rpckv.Client, in asked, how kvrpc.Read, seen map[string]string) (out answered, err error) {
	switch in.kind {
	case 'p':
		_, err = c.Put(ctx, []byte(in.key), []byte(in.anew))
	case 'd':
		_, err = c.Delete(ctx, []byte(in.key))
		out.right = err == nil
		err = but(err, kvrpc.NotFound)
	case 'c':
		_, err = c.CompareAndSwap(ctx, []byte(in.key), kvrpc.Value{Bytes: []byte(in.old), Present: in.old != ""}, []byte(in.anew))
		out.right = err == nil
		err = but(err, kvrpc.Mismatch)
	default:
		var found kvrpc.Found
		found, err = c.Get(ctx, []byte(in.key), how)
		out.value = string(found.Value)
		if err = but(err, kvrpc.NotFound); err == nil {
			seen[in.key] = out.value
		}
	}
	return out, err
}

// but is err, unless it is an answer.
func but(err error, answer kvrpc.Status) error {
	if errors.Is(err, answer) {
		return nil
	}
	return err
}

// judge is the checker's verdict. It ends where it would take too long: then it is Unknown.
func (h *history) judge(t *testing.T) porcupine.CheckResult {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	result, info := porcupine.CheckOperationsVerbose(model, h.all, patience)
	if dir := os.Getenv("UNPIPC_HISTORIES"); dir != "" {
		path := filepath.Join(dir, t.Name()+".html")
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, porcupine.VisualizePath(model, info, path))
	}
	return result
}
