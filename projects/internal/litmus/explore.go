package litmus

import (
	"fmt"
	"slices"
	"strings"
)

// Outcome is one way in which the threads can end.
type Outcome struct {
	Memory    map[string]int
	Registers [2]Registers
}

// Result is what [Explore] found.
type Result struct {
	States int
	Ends   []Outcome
	// Wrong is an order of events that made a Check fail, and Stuck one after which no
	// thread can go on though not all are at their end; nil if there is none.
	Wrong, Stuck []string
}

type state struct {
	memory   [12]int
	regs     [2]Registers
	done     [2]uint64
	sleeping [2]bool
}

type explorer struct {
	model     Model
	threads   [2]Thread
	addresses []string
	seen      map[state]bool
	path      []string
	result    Result
}

// Explore tries every order that the model allows. Memory is 0 at first.
func Explore(model Model, a, b Thread) Result {
	e := &explorer{model: model, threads: [2]Thread{a, b}, seen: map[state]bool{}}
	for _, t := range e.threads {
		if len(t) > 64 {
			panic("litmus: a thread of more than 64 accesses")
		}
		for _, x := range t {
			if x.Address != "" && !slices.Contains(e.addresses, x.Address) {
				e.addresses = append(e.addresses, x.Address)
			}
		}
	}
	e.visit(state{})
	e.result.States = len(e.seen)
	return e.result
}

func (e *explorer) visit(s state) {
	if e.seen[s] {
		return
	}
	e.seen[s] = true
	moved := false
	for t := range e.threads {
		if s.sleeping[t] {
			continue
		}
		for i := range e.threads[t] {
			if s.done[t]>>i&1 == 0 && e.ready(&s, t, i) {
				moved = e.step(s, t, i) || moved
			}
		}
	}
	if moved {
		return
	}
	end := e.atEnd(&s)
	switch {
	case !end && e.result.Stuck == nil:
		e.result.Stuck = append([]string{}, e.path...)
	case end:
		o := Outcome{Memory: map[string]int{}, Registers: s.regs}
		for i, address := range e.addresses {
			o.Memory[address] = s.memory[i]
		}
		e.result.Ends = append(e.result.Ends, o)
	}
}

func (e *explorer) atEnd(s *state) bool {
	for t, thread := range e.threads {
		if s.done[t] != 1<<len(thread)-1 || s.sleeping[t] {
			return false
		}
	}
	return true
}

// ready says whether access i of thread t may take effect next.
func (e *explorer) ready(s *state, t, i int) bool {
	later := &e.threads[t][i]
	if other := s.done[1-t]; later.Everywhere && other&(other+1) != 0 {
		return false // something of the other thread has passed what came before it
	}
	for j := range i {
		if s.done[t]>>j&1 == 0 && !e.swaps(&e.threads[t][j], later) {
			return false
		}
	}
	return true
}

// swaps says whether the later access may take effect before the earlier one.
func (e *explorer) swaps(earlier, later *Access) bool {
	switch {
	case e.model == SC, earlier.Order == Full, later.Order == Full, earlier.Address == later.Address:
		return false
	case earlier.Value == nil && slices.Contains(later.Needs, earlier.Into):
		return false
	case earlier.Sleep, later.Sleep:
		return false // a system call
	case e.model == TSO:
		return earlier.Value != nil && later.Value == nil
	}
	return earlier.Order != Acquire && later.Order != Release
}

// step lets access i of thread t take effect, and says whether it could.
func (e *explorer) step(s state, t, i int) bool {
	x := &e.threads[t][i]
	r := &s.regs[t]
	s.done[t] |= 1 << i
	event := fmt.Sprintf("%d: %s", t, x.Name)
	if x.Address == "" || x.If != nil && !x.If(r) {
		e.follow(s, event+map[bool]string{true: " (not done)"}[x.Address != ""])
		return true
	}
	at := slices.Index(e.addresses, x.Address)
	if x.Value != nil {
		s.memory[at] = x.Value(r)
		if x.Wakes {
			s.sleeping[1-t] = false
		}
		e.follow(s, event)
		return true
	}
	value := s.memory[at]
	if x.Until != nil && !x.Until(value, r) {
		if !x.Sleep {
			return false
		}
		s.sleeping[t] = true
		event += ", sleeps"
	}
	r[x.Into] = value
	event = fmt.Sprintf("%s → %d", event, value)
	if x.Check != nil && e.result.Wrong == nil {
		if wrong := x.Check(value, r); wrong != "" {
			e.result.Wrong = append(slices.Clone(e.path), event+": "+wrong)
		}
	}
	e.follow(s, event)
	return true
}

func (e *explorer) follow(s state, event string) {
	e.path = append(e.path, event)
	e.visit(s)
	e.path = e.path[:len(e.path)-1]
}

// Story is an order of events as text, one a line.
func Story(events []string) string { return strings.Join(events, "\n") }
