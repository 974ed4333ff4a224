package integers

import "slices"

// fewNumbers are sorted by comparing them.
const fewNumbers = 512

// Sort is [Sorter.Sort] by one that sorts nothing else.
func Sort(numbers []int32) { new(Sorter).Sort(numbers) }

// Sorter keeps the memory that sorting takes for the next time.
type Sorter struct{ spare []int32 }

// Sort sorts numbers in place, by their bytes: the lowest first, each pass keeping the
// order of the one before. A byte that is the same in all numbers costs no pass, and
// numbers that are in order already cost none.
func (s *Sorter) Sort(numbers []int32) {
	if len(numbers) <= fewNumbers {
		slices.Sort(numbers)
		return
	}
	// The sign bit is turned over: the order of int32 is then that of bytes.
	const signBit = 1 << 31
	var count [4][256]int
	inOrder, before := true, numbers[0]
	for _, number := range numbers {
		n := uint32(number) ^ signBit
		count[0][n&255]++
		count[1][n>>8&255]++
		count[2][n>>16&255]++
		count[3][n>>24]++
		if number < before {
			inOrder = false
		}
		before = number
	}
	if inOrder {
		return
	}
	if len(s.spare) < len(numbers) {
		s.spare = make([]int32, len(numbers))
	}
	from, to := numbers, s.spare[:len(numbers)]
	for i := range count {
		shift := 8 * i
		next := &count[i] // how many of each, then where the next of each goes
		if next[(uint32(from[0])^signBit)>>shift&255] == len(from) {
			continue
		}
		sum := 0
		for b, n := range next {
			next[b] = sum
			sum += n
		}
		for _, number := range from {
			place := &next[(uint32(number)^signBit)>>shift&255]
			to[*place] = number
			*place++
		}
		from, to = to, from
	}
	if &from[0] != &numbers[0] {
		copy(numbers, from)
	}
}
