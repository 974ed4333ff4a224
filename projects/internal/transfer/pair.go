package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"unpipc/projects/internal/measure"
)

// What an end is written in.
var inGo, inC = measure.Role(roleArgument), measure.Reference("transfer")

// inCThreaded is C with a second thread, as Go always has one.
var inCThreaded = measure.Built(filepath.Join("ref", "transfer"), "--threads", "2")

// job is what a pair of processes does.
type job struct {
	channel   string
	size      int
	roundTrip bool
	batch     int
}

// warmup is the number of verified messages.
func (j *job) warmup() int { return measure.Warmup(j.size) }

// run sends n messages between two processes: a is the sender, b the receiver.
func (j *job) run(ctx context.Context, cfg *measure.Config, a, b measure.Program, n int64) (measure.Sample, error) {
	c, err := open(j.channel, j.size)
	if err != nil {
		return measure.Sample{}, err
	}
	return j.over(ctx, cfg, c, a, b, n)
}

// over is run over a channel that is there, which it closes.
func (j *job) over(ctx context.Context, cfg *measure.Config, c *channel, a, b measure.Program, n int64) (measure.Sample, error) {
	defer c.close()
	roles, clock := []string{"send", "recv"}, 1
	if j.roundTrip {
		roles, clock = []string{"ping", "pong"}, 0
	}
	cfg = cfg.Apart()
	var cmds []measure.Command
	for i, p := range []measure.Program{a, b} {
		args, err := p(cfg)
		if err != nil {
			return measure.Sample{}, err
		}
		cmds = append(cmds, measure.Command{
			Name: roles[i],
			Args: append(args, "--role", roles[i], "--channel", j.channel,
				"--in", c.ends[i].in, "--out", c.ends[i].out,
				"--size", strconv.Itoa(j.size), "--count", strconv.FormatInt(n, 10),
				"--warmup", strconv.Itoa(j.warmup()), "--batch", strconv.Itoa(j.batch),
				"--parent", strconv.Itoa(os.Getpid())),
			Files:   c.ends[i].fds(),
			Started: func() { c.closeEnd(i) },
		})
	}
	printed, err := measure.Together(ctx, cfg, cmds...)
	if err != nil {
		return measure.Sample{}, err
	}
	outcomes := make([]outcome, len(printed))
	for i, text := range printed {
		if err := json.Unmarshal([]byte(text), &outcomes[i]); err != nil {
			return measure.Sample{}, fmt.Errorf("%s: %w", roles[i], err)
		}
		if got := outcomes[i].Count; got != n {
			return measure.Sample{}, fmt.Errorf("%s: %d messages of %d", roles[i], got, n)
		}
	}
	if got, want := outcomes[clock].Sums, int64(j.warmup()+1); got != want {
		return measure.Sample{}, fmt.Errorf("%d checksums of %d were compared", got, want)
	}
	return outcomes[clock].Sample(j.roundTrip)
}
