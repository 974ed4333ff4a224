package p05sysvmq

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/alive"
	"unpipc/projects/internal/measure"
)

// lasting is [measure.Row.Least]. The end of a client is the end of a process, which takes
// as long as dozens of its round trips: in a short run of many clients it would be most of
// what is measured.
const lasting = 5 * measure.Crowd

// rows are round trips between one server and its clients, all in one language.
func rows(measure.Config) []measure.Row {
	var rows []measure.Row
	for _, clients := range []int{1, 50} {
		rows = append(rows, measure.Row{
			Group: "exercise 5", Name: fmt.Sprintf("sysv_server_%d", clients),
			What: fmt.Sprintf("from letting the server run, %d requests waiting, to the end of the last of %d clients",
				clients, clients),
			Check:    "each client has its own nonce and the same text in every response",
			Unit:     "round trips/s",
			Least:    lasting,
			Variants: []measure.Variant{variant("Go", "p05", clients), variant("C", "p05/ref", clients)},
		})
	}
	return rows
}

func variant(name, folder string, clients int) measure.Variant {
	return measure.Variant{Name: name,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			b := bench{cfg: cfg, bin: filepath.Join(cfg.Bin, folder), key: unusedKey()}
			return b.run(ctx, shares(n, clients))
		}}
}

// shares are the n round trips as the clients share them; each has one at least.
func shares(n int64, clients int) []int64 {
	counts := make([]int64, min(n, int64(clients)))
	for i := range counts {
		counts[i] = (n + int64(i)) / int64(len(counts))
	}
	return counts
}

// unusedKey is a key that nobody has.
func unusedKey() sysvmq.Key {
	for {
		key := sysvmq.Key(1 + rand.Int32N(1<<31-1))
		if _, err := sysvmq.Get(key, 0); errors.Is(err, fs.ErrNotExist) {
			return key
		}
	}
}

type bench struct {
	cfg *measure.Config
	bin string
	key sysvmq.Key
}

func (b *bench) run(ctx context.Context, counts []int64) (sample measure.Sample, err error) {
	server, err := measure.Start(ctx, b.cfg, 0, measure.Command{
		Args: []string{filepath.Join(b.bin, "sysv_server"), "--quiet", "--key", b.key.String()},
	})
	if err != nil {
		return sample, err
	}
	defer func() {
		_ = server.Signal(unix.SIGCONT)
		_ = server.Signal(unix.SIGTERM)
		if _, stopErr := server.Wait(); err == nil {
			err = stopErr
		}
	}()
	ready := func() bool { return strings.Contains(server.Output(), "Waiting for requests") }
	if err := until(ctx, ready); err != nil {
		return sample, err
	}
	// All clients are to begin at once: the server is held until each has asked.
	self, _, err := lastOwner(b.key)
	err = errors.Join(err, server.Signal(unix.SIGSTOP), until(ctx, func() bool { return alive.Stopped(self.pid) }))
	if err != nil {
		return sample, err
	}
	ended := make(chan error)
	go func() {
		ended <- b.clients(ctx, counts)
	}()
	q, err := sysvmq.Get(b.key, 0)
	if err == nil {
		err = until(ctx, func() bool {
			st, statErr := q.Stat()
			return statErr != nil || st.Messages == len(counts)
		})
	}
	start := time.Now()
	err = errors.Join(err, server.Signal(unix.SIGCONT), <-ended)
	sample.Elapsed = time.Since(start)
	for _, count := range counts {
		sample.Verified += count
	}
	return sample, err
}

// clients runs them at once.
func (b *bench) clients(ctx context.Context, counts []int64) error {
	timeout := strconv.FormatFloat(b.cfg.Timeout.Seconds(), 'f', -1, 64)
	cmds := make([]measure.Command, len(counts))
	for i, count := range counts {
		cmds[i].Args = []string{filepath.Join(b.bin, "sysv_client"), "--key", b.key.String(),
			"--timeout", timeout, "--count", strconv.FormatInt(count, 10), fmt.Sprintf("HELLO %d", i)}
	}
	out, err := measure.Together(ctx, b.cfg, cmds...)
	if err != nil {
		return err
	}
	for i, text := range out {
		want := fmt.Sprintf("Response: HELLO %d%s\n%d round trips in ", i, suffix, counts[i])
		if !strings.Contains(text, want) {
			return fmt.Errorf("client %d printed %q, without %q", i, text, want)
		}
	}
	return nil
}

// until waits for a condition.
func until(ctx context.Context, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Microsecond):
		}
	}
	return nil
}
