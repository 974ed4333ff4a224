package stress

import (
	"regexp"
	"slices"
)

// Scenario is a mechanism under load.
type Scenario struct {
	Name     string
	Checks   string // what must hold, in a line
	Sabotage string // what a sabotaged run does wrong

	workers int
	ops     uint64 // of each worker in a round
	// deaths are the points at which a worker may be killed; nil: not at all.
	deaths func(worker int) []point
	// victim is killed at point middle in every round; -1: nobody is.
	victim int
	// last says that a worker is not replaced when it has been killed. May be nil.
	last func(worker int) bool
	// saboteur is the worker that does something wrong in a sabotaged round.
	saboteur int
	// awaited: in a sabotaged round nobody does his last operation before the saboteur is
	// at it, who may so count on others that go on.
	awaited bool
	// round is what the process does that starts the workers.
	round func(*round) error
	// work is a worker.
	work func(*worker) error
}

// point is a place in an operation.
type point int

const (
	before  point = iota // begun, nothing done
	middle               // where it hurts most, as the scenario has it
	after                // done, but not noted as such
	outside              // wherever the signal finds the worker
)

// All are the scenarios, in the order of UNPv2.
func All() []*Scenario {
	return []*Scenario{
		&pipeScenario, &fifoScenario, &dgramScenario, &rightsScenario,
		&posixMQScenario, &notifyScenario, &sysvMQScenario,
		&mutexScenario, &rwlockScenario, &reclockScenario,
		&posixSemScenario, &sysvSemScenario, &barrierScenario,
		&fullScenario, &sysvShmScenario, &ringScenario, &spscScenario, &kvstoreScenario, &mmapdbScenario, &rpcScenario,
	}
}

// Select are the scenarios whose name matches.
func Select(only *regexp.Regexp) []*Scenario {
	return slices.DeleteFunc(All(), func(sc *Scenario) bool { return !only.MatchString(sc.Name) })
}

func named(name string) *Scenario {
	for _, sc := range All() {
		if sc.Name == name {
			return sc
		}
	}
	return nil
}
