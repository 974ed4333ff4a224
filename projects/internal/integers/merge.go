package integers

import (
	"runtime"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

const (
	sampleEvery = 1024 // numbers of a list for one sample of it
	pieceSample = 32   // samples in a piece, which is so merged within the cache
	fewSteps    = 16   // of a merge are not worth two at once
)

// piece is a range of keys: of every list the part with those keys, and where the merged
// ones begin in the result.
type piece struct {
	first, last []int // by list
	at, n       int
}

// Merge merges sorted lists into one, with all processors. One list alone is the result as
// it is.
func Merge(lists [][]int32) []int32 {
	lists = slices.DeleteFunc(slices.Clone(lists), func(l []int32) bool { return len(l) == 0 })
	switch len(lists) {
	case 0:
		return nil
	case 1:
		return lists[0]
	}
	pieces, total := cut(lists)
	merged := Room(total)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(pieces)) {
		all.Go(func() {
			var m merger
			for i := next.Add(1) - 1; int(i) < len(pieces); i = next.Add(1) - 1 {
				m.merge(lists, pieces[i], merged)
			}
		})
	}
	all.Wait()
	return merged
}

// cut cuts the keys of all lists into ranges of about as many numbers each. A key that has
// very many numbers gets a range for itself.
func cut(lists [][]int32) (pieces []piece, total int) {
	var samples []int32
	for _, list := range lists {
		total += len(list)
		for i := sampleEvery - 1; i < len(list); i += sampleEvery {
			samples = append(samples, list[i])
		}
	}
	slices.Sort(samples)
	at := 0
	first := make([]int, len(lists))
	add := func(end func(list []int32) int) {
		p := piece{first: first, last: make([]int, len(lists)), at: at}
		for i, list := range lists {
			p.last[i] = first[i] + end(list[first[i]:])
			p.n += p.last[i] - first[i]
		}
		if p.n > 0 {
			pieces = append(pieces, p)
		}
		at += p.n
		first = p.last
	}
	below := func(key int32) func(list []int32) int {
		return func(list []int32) int {
			return sort.Search(len(list), func(i int) bool { return list[i] >= key })
		}
	}
	upTo := func(key int32) func(list []int32) int {
		return func(list []int32) int {
			return sort.Search(len(list), func(i int) bool { return list[i] > key })
		}
	}
	for i := pieceSample; i < len(samples); i += pieceSample {
		key := samples[i]
		if key == samples[i-pieceSample] && i > pieceSample {
			add(upTo(key)) // nothing but this key, after the first time
			continue
		}
		add(below(key))
	}
	add(func(list []int32) int { return len(list) })
	return pieces, total
}

// merger merges pieces, one after the other.
type merger struct {
	runs  [][]int32
	spare [2][]int32 // what is merged but not for the last time
}

// merge merges the parts of a piece: two at a time, until one is left.
func (m *merger) merge(lists [][]int32, p piece, merged []int32) {
	runs := m.runs[:0]
	least, greatest := int32(0), int32(0)
	for i, list := range lists {
		if run := list[p.first[i]:p.last[i]]; len(run) > 0 {
			if len(runs) == 0 {
				least, greatest = run[0], run[len(run)-1]
			}
			least, greatest = min(least, run[0]), max(greatest, run[len(run)-1])
			runs = append(runs, run)
		}
	}
	m.runs = runs
	out := merged[p.at : p.at+p.n]
	if least == greatest {
		for i := range out {
			out[i] = least
		}
		return
	}
	for turn := 0; len(runs) > 2; turn ^= 1 {
		if cap(m.spare[turn]) < p.n {
			m.spare[turn] = make([]int32, p.n)
		}
		to, half := m.spare[turn][:p.n], 0
		for i := 0; i < len(runs); i += 2 {
			n := 0
			if i+1 == len(runs) {
				n = copy(to, runs[i])
			} else {
				n = mergeTwo(to, runs[i], runs[i+1])
			}
			runs[half], to = to[:n:n], to[n:]
			half++
		}
		runs = runs[:half]
	}
	if len(runs) == 1 {
		copy(out, runs[0])
		return
	}
	mergeTwo(out, runs[0], runs[1])
}

// mergeTwo merges a and b into the beginning of to, both halves of it at once: each has to
// wait for what it has compared, and meanwhile the other one goes on.
func mergeTwo(to, a, b []int32) int {
	n := len(a) + len(b)
	half := n / 2
	ofA := split(a, b, half)
	ofB := half - ofA
	low := two{to[:half], a[:ofA], b[:ofB]}
	high := two{to[half:n], a[ofA:], b[ofB:]}
	for {
		// None of the four is at its end for as many steps.
		steps := min(len(low.a), len(low.b), len(high.a), len(high.b))
		if steps < fewSteps {
			break
		}
		i, j := 0, 0
		for step := range steps {
			to, other := low.to, high.to
			x, y := low.a[i], low.b[step-i]
			v, w := high.a[j], high.b[step-j]
			to[step], other[step] = min(x, y), min(v, w)
			i += notGreater(x, y)
			j += notGreater(v, w)
		}
		low, high = low.behind(i, steps), high.behind(j, steps)
	}
	low.merge()
	high.merge()
	return n
}

// split is how many of the least n numbers of a and b are of a; of equal ones those of a
// are first.
func split(a, b []int32, n int) int {
	least, most := max(0, n-len(b)), min(n, len(a))
	return least + sort.Search(most-least, func(i int) bool { return a[least+i] > b[n-least-i-1] })
}

// two are being merged into to.
type two struct{ to, a, b []int32 }

// behind is what is left after steps, i of which took one of a.
func (t two) behind(i, steps int) two { return two{t.to[steps:], t.a[i:], t.b[steps-i:]} }

func (t two) merge() {
	i, j := 0, 0
	for i < len(t.a) && j < len(t.b) {
		x, y := t.a[i], t.b[j]
		t.to[i+j] = min(x, y)
		took := notGreater(x, y)
		i += took
		j += 1 - took
	}
	copy(t.to[i+j:], t.a[i:])
	copy(t.to[len(t.a)+j:], t.b[j:])
}

// notGreater is 1 if x is not greater than y, else 0, without a branch: which one it is
// cannot be predicted.
func notGreater(x, y int32) int { return int((int64(x)-int64(y)-1)>>63) & 1 }
