package p16rpccalc

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/measure/measuretest"
	"unpipc/projects/internal/programs"
)

func testRows(t *testing.T, built *programs.Built) {
	out, err := exec.Command("go", "build", "-o", built.Go+"/", "./peers/grpc_calc").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cfg := measuretest.Config(measuretest.Bin(t, built, "p16"))
	measuretest.Variants(t, rows(*cfg), cfg, 1, 100)
}

func TestAMissingProgramIsAnError(t *testing.T) {
	cfg := measure.Config{Bin: t.TempDir()}.Defaults()
	for _, v := range rows(cfg)[0].Variants {
		_, err := v.Run(t.Context(), &cfg, 1)
		assert.ErrorIs(t, err, os.ErrNotExist, v.Name)
	}
}

func TestAClientThatPrintsSomethingElseIsAnError(t *testing.T) {
	for _, out := range []string{"", "Result: 8\n", "Result: 8\n3 calls\n"} {
		_, err := parseFigures(out)
		assert.Error(t, err, "%q", out)
	}
	figures, err := parseFigures("Result: 8\n" + Figures{Calls: 3, Elapsed: time.Second, CPU: 30}.String() + "\n")
	require.NoError(t, err)
	assert.Equal(t, Figures{Calls: 3, Elapsed: time.Second, CPU: 30}, figures)
}
