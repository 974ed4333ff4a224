package measure

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatAProgramPrintsIsChecked(t *testing.T) {
	alone := func(printed string) (Sample, error) {
		cfg := Config{}.Defaults()
		shell := func(*Config) ([]string, error) { return []string{"sh", "-c", `echo "$1"`, "sh"}, nil }
		return Alone("echo", shell, printed)(t.Context(), &cfg, 3)
	}
	s, err := alone(`{"count":3,"ns":50}`)
	require.NoError(t, err)
	assert.Equal(t, Sample{Elapsed: 50, Verified: 3}, s)
	_, err = alone("done")
	assert.ErrorContains(t, err, "echo: invalid character")
	_, err = alone(`{"skip":"too many bugs"}`)
	reason, skipped := Skipped(err)
	assert.True(t, skipped)
	assert.Contains(t, reason, "too many bugs")
}

func TestAReferenceThatIsNotBuiltIsSkipped(t *testing.T) {
	_, err := Reference("nothing")(&Config{Bin: t.TempDir()})
	reason, skipped := Skipped(err)
	assert.True(t, skipped)
	assert.Contains(t, reason, "make build")
}
