package integers

import (
	"math"
	"slices"
)

const (
	fewNumbers = 512 // are sorted by comparing them
	passes     = 3
	digitBits  = 11 // of 32 in that many passes
	digits     = 1 << digitBits
)

// Sort is [Sorter.Sort] by one that sorts nothing else.
func Sort(numbers []int32) { new(Sorter).Sort(numbers) }

// Sorter keeps the memory that sorting takes for the next time.
type Sorter struct{ spare []int32 }

// Sort sorts numbers in place, by their digits of 11 bits: the lowest first, each pass
// keeping the order of the one before. A digit that is the same in all numbers costs no
// pass, and numbers that are in order already cost none.
func (s *Sorter) Sort(numbers []int32) {
	if len(numbers) <= fewNumbers || len(numbers) > math.MaxUint32 {
		slices.Sort(numbers)
		return
	}
	if slices.IsSorted(numbers) {
		return
	}
	count := countDigits(numbers)
	if len(s.spare) < len(numbers) {
		s.spare = nil // it may go before there is another
		s.spare = Room(len(numbers))
	}
	from, to := numbers, s.spare[:len(numbers)]
	for i := range count {
		shift, next := digitBits*i, &count[i] // how many of each, then where the next of each goes
		if next[uint32(from[0])>>shift%digits] == uint32(len(from)) {
			continue
		}
		first := 0
		if i == passes-1 {
			first = digits / 2 / 2 // the sign is the highest of its ten bits
		}
		sum := uint32(0)
		for j := range next {
			n := &next[(first+j)%digits]
			*n, sum = sum, sum+*n
		}
		scatter(to, from, next, shift)
		from, to = to, from
	}
	if &from[0] != &numbers[0] {
		copy(numbers, from)
	}
}

// countDigits counts the digits of all passes, the sign being part of the last one.
func countDigits(numbers []int32) *[passes][digits]uint32 {
	var count [passes][digits]uint32
	for _, number := range numbers {
		n := uint32(number)
		count[0][n%digits]++
		count[1][n>>digitBits%digits]++
		count[2][n>>(2*digitBits)]++
	}
	return &count
}

// scatter puts each number where the next one with its digit goes.
func scatter(to, from []int32, next *[digits]uint32, shift int) {
	for _, number := range from {
		place := &next[uint32(number)>>(shift&31)%digits]
		to[*place] = number
		*place++
	}
}
