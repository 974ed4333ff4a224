package p14mmapdb

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheFreeSetGivesWhatIsFreeAndNothingTwice compares the set with one that is simple.
func TestTheFreeSetGivesWhatIsFreeAndNothingTwice(t *testing.T) {
	t.Parallel()
	const pages = 64 * blockWords * 3
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 14))
		f, free := &freeSet{}, map[uint32]bool{}
		longest := func() (longest uint32) {
			for n, run := uint32(0), uint32(0); n < pages; n++ {
				if run++; !free[n] {
					run = 0
				}
				longest = max(longest, run)
			}
			return longest
		}
		taken := func(e extent) {
			for n := e.page; n < e.page+e.run; n++ {
				require.True(t, free[n], "seed %d: page %d is not free", seed, n)
				delete(free, n)
			}
		}
		for range 300 {
			run := uint32(1 + rng.IntN([]int{1, 5, 70, 300}[rng.IntN(4)]))
			words := rng.IntN(2 * pages / 64)
			switch rng.IntN(4) {
			case 0, 1:
				e := extent{uint32(rng.IntN(pages - 300)), run}
				for n := e.page; n < e.page+e.run; n++ {
					if !free[n] {
						free[n] = true
						f.set(extent{n, 1})
					}
				}
			case 2:
				page, ok := f.take(run)
				if ok {
					taken(extent{page, run})
				} else {
					require.Less(t, longest(), run, "seed %d", seed)
				}
			default:
				most := run + uint32(rng.IntN(100))
				e := f.sweep(run, most, &words)
				if e.run > 0 {
					require.GreaterOrEqual(t, e.run, run)
					require.LessOrEqual(t, e.run, most)
				}
				taken(e)
			}
			require.Len(t, free, f.n)
			all, runs := uint32(0), 0
			f.extents(func(e extent) {
				all += e.run
				runs++
				assert.True(t, free[e.page] && free[e.page+e.run-1])
			})
			require.EqualValues(t, f.n, all)
			require.Equal(t, runs, f.runs())
		}
	}
}

func TestASinglePageIsTakenFromWhereItIsAlone(t *testing.T) {
	t.Parallel()
	f := &freeSet{}
	for _, e := range []extent{{10, 3}, {20, 1}, {100, 1}, {200, 4}} {
		f.set(e)
	}
	for _, want := range []uint32{20, 100, 10} {
		page, ok := f.take(1)
		require.True(t, ok)
		require.Equal(t, want, page)
	}
}
