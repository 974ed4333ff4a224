package litmus

import "fmt"

// Model says which accesses of a thread may take effect in another order.
type Model int

// The models, see the package.
const (
	SC Model = iota
	TSO
	Weak
)

func (m Model) String() string { return [...]string{"SC", "TSO", "Weak"}[m] }

// Order is what an access promises.
type Order int

const (
	Relaxed Order = iota
	Acquire       // of a load: nothing later is before it
	Release       // of a store: nothing earlier is after it
	Full          // nothing passes it: a fence, or a store by XCHG
)

// Registers are the values that a thread has read.
type Registers [16]int

// Access is one step of a thread.
type Access struct {
	Name  string
	Order Order
	// Address is read or written; "" is a fence alone.
	Address string
	// Value is what a store writes; nil makes the access a load.
	Value func(r *Registers) int
	// Into is the register that a load fills.
	Into int
	// Until is what a load waits for; nil: nothing.
	Until func(value int, r *Registers) bool
	// Needs are the registers that Value, Until and If look at.
	Needs []int
	// If says whether to do it at all; nil: yes.
	If func(r *Registers) bool
	// Check looks at what was read, and returns what is wrong with it, or "".
	Check func(value int, r *Registers) string
	// Sleep is a futex: a load that takes effect only as one of two things. Until
	// holds, and the thread goes on; or it does not, and the thread sleeps until an
	// access of the other thread with Wakes takes effect, then goes on too.
	Sleep bool
	Wakes bool
	// Everywhere is a fence for the other thread, too, wherever that is: membarrier(2).
	Everywhere bool
}

// Thread is a list of accesses in the order of the program.
type Thread []Access

// Store writes a value.
func Store(address string, order Order, value int) Access {
	return Access{Name: fmt.Sprintf("%s = %d", address, value), Address: address, Order: order,
		Value: func(*Registers) int { return value }}
}

// Load reads into a register.
func Load(address string, order Order, into int) Access {
	return Access{Name: "read " + address, Address: address, Order: order, Into: into}
}

// Await reads until the condition holds.
func Await(address string, order Order, into int, until func(value int, r *Registers) bool) Access {
	a := Load(address, order, into)
	a.Name, a.Until = "await "+address, until
	return a
}

// Fence lets nothing pass.
func Fence() Access { return Access{Name: "fence", Order: Full} }

// Membarrier lets nothing pass in either thread.
func Membarrier() Access { return Access{Name: "membarrier", Order: Full, Everywhere: true} }
