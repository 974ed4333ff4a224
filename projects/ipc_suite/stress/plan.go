package stress

import (
	"cmp"
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

// death is where a worker is killed: in this operation, or in the first one after it that
// comes to the point.
type death struct {
	op uint64
	at point
}

// nuisance is what a worker has to bear when it begins an operation.
type nuisance struct {
	op   uint64
	stop bool // SIGSTOP, until the others have done n operations; else n signals
	n    uint64
	gap  uint64 // µs between signals, at most
}

// plan is everything that happens to the workers of a round, by worker.
type plan struct {
	deaths     [][]death // the first worker in a place dies the first one
	nuisances  [][]nuisance
	sabotageOp uint64
}

// maxDeaths is how many die in one place.
const maxDeaths = 3

// newPlan makes the plan of a round.
func newPlan(sc *Scenario, seed, ops uint64, sabotage bool) *plan {
	rng := rand.New(rand.NewPCG(seed, hash(sc.Name)))
	// Neither the first operation nor the last: what comes before and after is to be seen.
	someOp := func() uint64 { return 2 + rng.Uint64N(max(ops-2, 1)) }
	p := &plan{sabotageOp: 2 + rng.Uint64N(max(ops/2, 1))}
	for i := range sc.workers {
		var deaths []death
		var points []point
		if sc.deaths != nil {
			points = sc.deaths(i)
		}
		if n := rng.IntN(maxDeaths); len(points) > 0 {
			if sc.last != nil && sc.last(i) { // then the round is soon over: seldom
				n /= 2
			}
			for range n {
				deaths = append(deaths, death{someOp(), points[rng.IntN(len(points))]})
			}
		}
		if i == sc.victim {
			deaths = append(deaths, death{2 + rng.Uint64N(max(ops/2, 1)), middle})
		}
		// The thing done wrong must not be excused by a death, or by one of which nobody
		// knows where it came.
		for j := range deaths {
			if sabotage && deaths[j].at == outside {
				deaths[j].at = points[0]
			}
		}
		if sabotage && (i == sc.saboteur && i != sc.victim || sc.last != nil && sc.last(i)) {
			deaths = nil
		}
		slices.SortFunc(deaths, func(a, b death) int { return cmp.Compare(a.op, b.op) })
		p.deaths = append(p.deaths, deaths)
		var nuisances []nuisance
		for range rng.IntN(3) {
			nuisances = append(nuisances, nuisance{
				op: someOp(), stop: rng.IntN(2) == 0, n: 1 + rng.Uint64N(40), gap: 1 + rng.Uint64N(300),
			})
		}
		p.nuisances = append(p.nuisances, nuisances)
	}
	return p
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// mix is a number that has little to do with those it is made of.
func mix(numbers ...uint64) uint64 {
	x := uint64(0x9e3779b97f4a7c15)
	for _, n := range numbers {
		x = (x ^ n) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}

// nextSeed is the seed of the round after this one.
func nextSeed(seed uint64) uint64 { return mix(seed) >> 33 }
