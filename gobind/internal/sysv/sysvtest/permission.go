package sysvtest

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

// User is a process that may do some things with an object, and others not.
type User struct {
	May   string // "r", "w", "rw" or nothing
	Owner bool   // the object is its own
	Mode  int    // of the object
}

// Users have each of the permissions: as others have them of an object of the tests' user or,
// where the tests have no privilege to be somebody else, as its owner.
func Users() []User {
	if os.Geteuid() != 0 {
		return []User{{"", true, 0}, {"r", true, 0o400}, {"w", true, 0o200}, {"rw", true, 0o600}}
	}
	return []User{{"", false, 0o600}, {"r", false, 0o604}, {"w", false, 0o602}, {"rw", false, 0o606}}
}

// Play has the user play a [UserRole] with the object of that name, which has its mode.
func (u User) Play(t *testing.T, role, object string) {
	t.Helper()
	cmd := ipctest.Command(t, role, object, u.May, fmt.Sprint(u.Owner))
	ipctest.AsNobody(cmd)
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, string(out))
}

// UserRole registers a role for [User.Play]: calls on an object, which use makes of its name,
// and then those that all kinds have. What the user may not do must fail.
func UserRole[O Object[Stat], Stat any](role string, table Table[Stat], use func(u User, object string) O) struct{} {
	return ipctest.Role(role, func(args []string) int {
		u := User{May: args[1], Owner: args[2] == "true"}
		object := use(u, args[0])
		s, err := object.Stat()
		u.Expect("IPC_STAT", err, "r", 0)
		if !u.Owner {
			u.expect("IPC_SET", object.Set(s), unix.EPERM)
			u.expect("IPC_RMID", object.Remove(), unix.EPERM)
		}
		all, err := table.List()
		u.expect("listing all", err, 0)
		if table.index(all, object.ID()) < 0 {
			fmt.Println("it is not listed, as it should be whatever its mode")
			return 1
		}
		return 0
	})
}

// Expect ends the process with status 1 unless a call's error is EACCES or, for a user who
// may do all that it needs, the given one.
func (u User) Expect(call string, err error, needs string, permitted syscall.Errno) {
	for _, one := range needs {
		if !strings.ContainsRune(u.May, one) {
			permitted = unix.EACCES
		}
	}
	u.expect(call, err, permitted)
}

func (u User) expect(call string, err error, want syscall.Errno) {
	if ipctest.Errno(err) != want {
		fmt.Printf("%s with permission %q: %v\n", call, u.May, err)
		os.Exit(1)
	}
}
