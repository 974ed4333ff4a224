package p12shmring

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// buildPeer builds the load of another library.
func buildPeer(t *testing.T, folder string) (program string) {
	t.Helper()
	out, err := exec.Command("go", "build", "-o", folder+"/", "./peers/shmipc_load").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return filepath.Join(folder, "shmipc_load")
}

func TestThePeerRefusesWrongCommandLines(t *testing.T) {
	program := buildPeer(t, t.TempDir())
	for name, args := range map[string][]string{
		"no name":        {"producer"},
		"no end":         {"--name", "/x"},
		"another end":    {"middle", "--name", "/x"},
		"small messages": {"producer", "--name", "/x", "--size", "8"},
	} {
		var exit *exec.ExitError
		out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		require.ErrorAs(t, err, &exit, name)
		require.Equal(t, 2, exit.ExitCode(), "%s: %s", name, out)
	}
}
