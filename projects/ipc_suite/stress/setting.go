package stress

import "fmt"

// setting is what all processes of a round know.
type setting struct {
	sc       *Scenario
	seed     uint64
	ops      uint64
	sabotage bool
	plan     *plan
	page     *page
}

// choose is one of n that the seed chooses, for each salt another one.
func (s *setting) choose(n uint64, salt ...uint64) uint64 {
	return mix(append(salt, s.seed, hash(s.sc.Name))...) % n
}

// wrong says whether this operation of this worker is the one to be done wrong.
func (s *setting) wrong(worker int, op uint64) bool {
	return s.sabotage && worker == s.sc.saboteur && op == s.plan.sabotageOp
}

// Violation is an invariant that did not hold.
type Violation struct{ Invariant, Detail string }

func (v *Violation) Error() string { return v.Invariant + ": " + v.Detail }

func violation(invariant, format string, args ...any) error {
	return &Violation{invariant, fmt.Sprintf(format, args...)}
}

// verifier is the verify of a worker, or of the process that started it: it counts an
// invariant that was verified, and is the error if that does not hold.
type verifier func(holds bool, invariant, format string, args ...any) error
