//go:build !race

package ordered_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The order of instructions is what Store rests on, and no promise of the language's. The
// plain cases show what becomes of two stores without it.
func TestTheCompilerKeepsAStoreBehindWhatComesBeforeIt(t *testing.T) {
	listing, err := exec.Command("go", "build", "-gcflags=-S", "./testdata").CombinedOutput()
	require.NoError(t, err, "%s", listing)
	for name, want := range map[string]string{
		"Publish":       "store (AX), store (BX)",
		"GiveBack":      "load (AX), store (BX)",
		"Twice":         "store (AX), store (AX)",
		"TwicePlainly":  "store (AX)",
		"Halves":        "store (AX), store 4(AX)",
		"HalvesPlainly": "store (AX)",
	} {
		assert.Equal(t, want, accesses(t, string(listing), name), name)
	}
	for _, m := range regexp.MustCompile(`\t(CALL|LOCK|XCHG\w*)\t(.*)`).FindAllStringSubmatch(string(listing), -1) {
		assert.Equal(t, []string{"XCHGL", "AX, AX"}, m[1:], "anything but a NOP that lines up")
	}
}

// accesses are a function's accesses to memory, in the order of its instructions, from
// what the compiler's -S prints: an operand in parentheses is one, the last operand is
// what is written. The first argument is in register AX, the second in BX.
func accesses(t *testing.T, listing, function string) string {
	body := regexp.MustCompile(`(?m)^\S+\.` + function + ` STEXT.*\n((?:\t.*\n)*)`).FindStringSubmatch(listing)
	require.NotNil(t, body, "no %s in\n%s", function, listing)
	var list []string
	for _, m := range regexp.MustCompile(`(?m)\tMOV\w\t(.*), (.*)$`).FindAllStringSubmatch(body[1], -1) {
		switch {
		case strings.HasSuffix(m[2], "X)"):
			list = append(list, "store "+m[2])
		case strings.HasSuffix(m[1], "X)"):
			list = append(list, "load "+m[1])
		}
	}
	return strings.Join(list, ", ")
}
