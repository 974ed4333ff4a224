package ipctest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// MemoryRole registers a [Role] for [AssertKeepsNoMemory]: it makes a round of calls and
// then twenty more, which need a multiple of 20 MB in all. A round says whether its calls
// did what they should.
func MemoryRole(name string, round func() bool) struct{} {
	return Role(name, func([]string) int {
		ok := round()
		before := Resident()
		for i := 0; ok && i < 20; i++ {
			ok = round()
		}
		grown := Resident() - before
		fmt.Printf("calls succeed: %t, grown by %d bytes\n", ok, grown)
		if !ok || grown > 20<<20 {
			return 1
		}
		return 0
	})
}

// AssertKeepsNoMemory asserts that a [MemoryRole]'s calls give back what they need.
func AssertKeepsNoMemory(t testing.TB, role string) {
	t.Helper()
	cmd := Command(t, role)
	// AddressSanitizer holds freed memory back, by default more than may stay.
	cmd.Env = append(os.Environ(), "ASAN_OPTIONS=quarantine_size_mb=1")
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, string(out))
}

// Resident is this process's memory that is in use, in bytes: VmRSS.
func Resident() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		panic(err)
	}
	return kib << 10
}
