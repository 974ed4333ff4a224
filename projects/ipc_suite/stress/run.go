package stress

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Options say how long and how hard.
type Options struct {
	Seed     uint64        // of each scenario's first round
	Duration time.Duration // of all scenarios together
	Rounds   int           // of each scenario; 0: as many as there is time for
	Ops      uint64        // of each worker in a round; 0: the scenario's own number
	Parallel int           // scenarios at a time; 0 is 1
	Patience time.Duration // with nobody going on, before that is a failure; 0 is a minute
	Sabotage bool          // everything must fail
}

// Result is how a scenario has fared.
type Result struct {
	Scenario                  *Scenario
	Rounds                    int
	Operations, Checked, Full uint64
	Kills, Stops, Signals     uint64
	Left                      []string // that the scenario has left behind
	Failure                   error    // what did not hold
	Seed                      uint64   // of the round that failed
	Interrupted               bool     // by the end of the context
	options                   Options
}

// Good says that nothing was wrong.
func (r *Result) Good() bool { return r.Failure == nil && len(r.Left) == 0 }

// Replay is the command that runs the round again that failed.
func (r *Result) Replay() string {
	command := fmt.Sprintf("ipc_suite stress --only '^%s$' --seed %d --rounds 1", r.Scenario.Name, r.Seed)
	if r.options.Ops > 0 {
		command += fmt.Sprintf(" --ops %d", r.options.Ops)
	}
	if r.options.Sabotage {
		command += " --sabotage"
	}
	return command
}

// Run runs scenarios, and hands each one's result to done as it ends, one at a time. What
// is left behind is told of each, or of all where they ran in parallel.
func Run(ctx context.Context, scenarios []*Scenario, o Options, done func(*Result)) (left []string) {
	o.Parallel = min(max(o.Parallel, 1), len(scenarios))
	if o.Patience == 0 {
		o.Patience = time.Minute
	}
	prime()
	start := take()
	share := o.Duration * time.Duration(o.Parallel) / time.Duration(max(len(scenarios), 1))
	queue := make(chan *Scenario)
	var telling sync.Mutex
	var all sync.WaitGroup
	for range o.Parallel {
		all.Go(func() {
			for sc := range queue {
				r := runScenario(ctx, sc, o, time.Now().Add(share))
				telling.Lock()
				done(r)
				telling.Unlock()
			}
		})
	}
	for _, sc := range scenarios {
		if ctx.Err() != nil {
			break
		}
		queue <- sc
	}
	close(queue)
	all.Wait()
	if o.Parallel > 1 {
		left = leaks(start)
	}
	return left
}

// runScenario runs one until its time is over.
func runScenario(ctx context.Context, sc *Scenario, o Options, deadline time.Time) *Result {
	res := &Result{Scenario: sc, options: o}
	start := take()
	seed := o.Seed
	for began := time.Now(); ; seed = nextSeed(seed) {
		err := runRound(ctx, sc, seed, o, res)
		if ctx.Err() != nil {
			res.Interrupted = true
			break
		}
		res.Rounds++
		if err != nil {
			res.Failure, res.Seed = err, seed
			break
		}
		if o.Rounds > 0 {
			if res.Rounds == o.Rounds {
				break
			}
		} else if perRound := time.Since(began) / time.Duration(res.Rounds); time.Now().Add(perRound).After(deadline) {
			break
		}
	}
	if o.Parallel == 1 {
		res.Left = leaks(start)
	}
	return res
}

func runRound(ctx context.Context, sc *Scenario, seed uint64, o Options, res *Result) (err error) {
	ops := o.Ops
	if ops == 0 {
		ops = sc.ops
	}
	// What bounds a worker's standing still does not bound this process's.
	ctx, cancel := context.WithTimeoutCause(ctx, 5*time.Minute+o.Patience, errors.New("a round takes for ever"))
	defer cancel()
	r, err := newRound(ctx, setting{sc: sc, seed: seed, ops: ops, sabotage: o.Sabotage}, o.Patience)
	if err != nil {
		return err
	}
	defer func() {
		res.Checked += r.checked
		res.Kills += r.kills
		res.Stops += r.stops.Load()
		res.Signals += r.signals.Load()
		for i := range sc.workers {
			s := &r.page.slots[i]
			res.Operations += s.done.Load()
			res.Checked += s.checked.Load()
			res.Full += s.full.Load()
		}
		err = errors.Join(err, r.close())
	}()
	return sc.round(r)
}

// Sorted are results in the order of the scenarios.
func Sorted(results []*Result) []*Result {
	place := map[string]int{}
	for i, sc := range All() {
		place[sc.Name] = i
	}
	return slices.SortedFunc(slices.Values(results), func(a, b *Result) int {
		return place[a.Scenario.Name] - place[b.Scenario.Name]
	})
}
