package p08rwlock

import "fmt"

// Policy says who gets a lock that several want.
type Policy uint32

const (
	// PreferReader lets a reader in whenever no writer is in. Readers that overlap keep
	// writers out for ever.
	PreferReader Policy = 1 + iota
	// PreferWriter lets no reader in while a writer waits. Writers that follow one
	// another keep readers out for ever.
	PreferWriter
	// Fair lets them in in the order in which they came; readers that follow one another
	// are in together. Nobody waits for one who came later.
	Fair
)

var policies = map[Policy]string{PreferReader: "reader", PreferWriter: "writer", Fair: "fair"}

func (p Policy) String() string {
	if name, ok := policies[p]; ok {
		return name
	}
	return fmt.Sprintf("policy %d", uint32(p))
}

// ParsePolicy is the policy of this name: "reader", "writer" or "fair".
func ParsePolicy(name string) (Policy, error) {
	for p, n := range policies {
		if n == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("no policy %q: reader, writer or fair", name)
}

// Kind is what somebody wants the lock for.
type Kind int

const (
	Reader Kind = iota
	Writer
)

func (k Kind) String() string { return [...]string{"reader", "writer"}[k] }
