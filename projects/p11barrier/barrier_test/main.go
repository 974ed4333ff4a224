// Command barrier_test runs processes through a reusable barrier of System V semaphores
// and verifies that none runs ahead.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"unpipc/gobind/sysvsem"
	"unpipc/projects/internal/cli"
	"unpipc/projects/p11barrier"
)

func main() {
	p := cli.New("barrier_test", "",
		"Starts processes that meet at a barrier of System V semaphores, again and again, and\n"+
			"verifies that none runs ahead. When one dies the others learn it at once.",
		"  barrier_test --processes=5 --iterations=3\n"+
			"  barrier_test --key=0x1234 --processes=3 --outside=1 & barrier_test --join --key=0x1234\n"+
			"  barrier_test --kill=2@3 --respawn")
	var cfg p11barrier.Config
	p.IntVar(&cfg.Processes, "processes", 5, "`number` of processes that meet")
	p.IntVar(&cfg.Iterations, "iterations", 3, "`number` of rounds")
	p.IntVar(&cfg.Outside, "outside", 0, "`number` of the processes that join from outside")
	key := p.String("key", "", "the `key` of the set, by which those find it (default: none)")
	p.BoolVar(&cfg.Respawn, "respawn", false, "start a process that was killed again, and mend the barrier")
	kill := p.String("kill", "", "process P kills itself in round R: `P@R`")
	work := p.Int("work", 0, "before each barrier, do nothing for up to so many `ms`")
	kind := p.String("barrier", "sysv", "`kind`: sysv, pthread for a pthread_barrier_t in shared memory, or none")
	p.BoolVar(&cfg.Quiet, "quiet", false, "no line for each process and round")
	timed := p.Bool("time", false, "say how long the rounds after the first one took")
	join := p.Bool("join", false, "be one of the processes that another barrier_test waits for")
	id := p.Int("id", -1, "the `semid` of the set, instead of its key")
	index := p.Int("index", 0, "")
	report := p.Int("report", -1, "")
	for _, internal := range []string{"index", "report"} {
		_ = p.MarkHidden(internal) // there are both
	}
	p.Parse(os.Args[1:])
	cfg.Work = time.Duration(*work) * time.Millisecond
	kinds := map[string]p11barrier.Kind{"sysv": p11barrier.SystemV, "pthread": p11barrier.Pthread, "none": p11barrier.None}
	known := false
	cfg.Kind, known = kinds[*kind]
	cfg.Key = parseKey(p, *key)
	if *kill != "" {
		var rest string
		if n, _ := fmt.Sscanf(*kill+" .", "%d@%d %s", &cfg.KillIndex, &cfg.KillRound, &rest); n != 3 || cfg.KillIndex < 1 || cfg.KillRound < 1 {
			p.BadUsage("--kill %s: not P@R, a process and a round", *kill)
		}
	}
	switch {
	case p.NArg() > 0:
		p.BadUsage("takes no arguments")
	case !known:
		p.BadUsage("--barrier is sysv, pthread or none")
	case *join && (*id >= 0) == (*key != ""):
		p.BadUsage("--join needs --key or --id")
	case *join:
		p.Exit(take(cfg, *id, p11barrier.Place{Index: *index, Report: *report, KillIn: cfg.KillRound, Quiet: cfg.Quiet}))
	case *id >= 0:
		p.BadUsage("--id is for --join")
	case cfg.Processes < 1 || cfg.Processes > p11barrier.MaxProcesses:
		p.BadUsage("--processes must be from 1 to %d", p11barrier.MaxProcesses)
	case cfg.Iterations < 1 || cfg.Iterations > 1e9:
		p.BadUsage("--iterations must be from 1 to 1000000000")
	case cfg.Outside < 0 || cfg.Outside >= cfg.Processes:
		p.BadUsage("--outside must be from 0 to one less than --processes")
	case cfg.Outside > 0 && cfg.Respawn:
		p.BadUsage("--respawn: who came from outside cannot be started again")
	case cfg.Outside > 0 && *key == "":
		p.BadUsage("--outside needs --key")
	case cfg.Kind != p11barrier.SystemV && cfg.Respawn:
		p.BadUsage("--respawn: only a barrier of System V semaphores can be mended")
	case *work < 0 || *work > 1e6:
		p.BadUsage("--work must be from 0 to 1000000")
	case cfg.KillIndex > cfg.Processes-cfg.Outside || cfg.KillRound > cfg.Iterations:
		p.BadUsage("--kill %s: there is no such process or round", *kill)
	}
	res, err := p11barrier.Run(cli.UntilSignal(), cfg, os.Stdout)
	if err != nil {
		p.Exit(err)
	}
	if *timed {
		fmt.Printf("%d rounds in %.6f s\n", res.Rounds, res.Elapsed.Seconds())
	}
	_, err = fmt.Println("All processes synchronized correctly. PASS")
	p.Exit(err)
}

func parseKey(p *cli.Program, text string) sysvsem.Key {
	if text == "" {
		return sysvsem.Private
	}
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil || n == 0 {
		p.BadUsage("--key %s: not a number of 32 bits, or 0, which is no key", text)
	}
	return sysvsem.Key(int32(uint32(n)))
}

// take takes part in a run of another process.
func take(cfg p11barrier.Config, id int, place p11barrier.Place) (err error) {
	place.Set = sysvsem.Open(id)
	if id < 0 {
		if place.Set, err = sysvsem.Get(cfg.Key, 0, 0); err != nil {
			return err
		}
	}
	if err = place.Run(); err != nil && place.Report >= 0 {
		return fmt.Errorf("process %d: %w", place.Index, err)
	}
	return err
}
