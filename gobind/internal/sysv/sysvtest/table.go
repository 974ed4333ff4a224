package sysvtest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

// Table is the kernel's table of one kind of object: as the package lists it, and as
// others show it.
type Table[Stat any] struct {
	List func() ([]Stat, error)
	ID   func(Stat) int
	Proc string // its name in /proc/sysvipc
	Flag string // its flag of ipcs
	// Shown is how an object with this state is shown by /proc/sysvipc, but for the memory
	// in use, and by ipcs: the beginning of a line, as a regular expression.
	Shown func(Stat) (row map[string]int, line string)
}

// index is where an object is in a list, -1 for nowhere.
func (table Table[Stat]) index(list []Stat, id int) int {
	return slices.IndexFunc(list, func(s Stat) bool { return table.ID(s) == id })
}

// AssertShown removes the third of the objects, which makes a hole in the table, and asserts
// that the list, /proc/sysvipc and ipcs show the others with their states.
func AssertShown[O Object[Stat], Stat any](t *testing.T, table Table[Stat], objects []O) {
	t.Helper()
	const hole = 2
	require.NoError(t, objects[hole].Remove())
	list, err := table.List()
	require.NoError(t, err)
	ipcs := ipctest.Output(t, "ipcs", table.Flag)
	for i, object := range objects {
		at, inProc := table.index(list, object.ID()), ipctest.SystemV(t, table.Proc, object.ID())
		if i == hole {
			assert.Equal(t, -1, at)
			assert.Nil(t, inProc)
			continue
		}
		require.NotEqual(t, -1, at)
		s := State(t, object)
		assert.Equal(t, s, list[at])
		row, line := table.Shown(s)
		delete(inProc, "rss")
		delete(inProc, "swap")
		assert.Equal(t, row, inProc)
		assert.Regexp(t, "(?m)^"+line, ipcs)
	}
}

// AssertListed asserts that each of the objects is in the list, once, and returns how many
// others are.
func AssertListed[O Object[Stat], Stat any](t *testing.T, table Table[Stat], objects []O) (others int) {
	t.Helper()
	list, err := table.List()
	require.NoError(t, err)
	for _, s := range list {
		if !slices.ContainsFunc(objects, func(object O) bool { return object.ID() == table.ID(s) }) {
			others++
		}
	}
	assert.Equal(t, len(objects), len(list)-others)
	return others
}
