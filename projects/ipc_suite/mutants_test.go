package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/mutants"
	"unpipc/projects/internal/programs"
)

// The scripts must refuse each mutant, and for what is wrong with it. That they pass the
// references without a mistake is tested beside each exercise.
func TestVerifyRefusesMutants(t *testing.T) {
	for _, e := range exercises {
		t.Run(e.Title, func(t *testing.T) {
			t.Parallel()
			good := "" // which only a second program is taken from
			if len(e.Programs) > 1 {
				good = programs.References(t, e.Folder)
			}
			all, err := mutants.Load(filepath.Join(programs.Root(), "projects", e.Folder, "ref"))
			require.NoError(t, err)
			assert.GreaterOrEqual(t, len(all), 3)
			for _, m := range all {
				t.Run(m.Name, func(t *testing.T) {
					t.Parallel()
					section, err := refusal(t.Context(), programs.Root(), e, m, good)
					require.NoError(t, err)
					assert.Equal(t, m.Section, section, "what is refused first, by %s", m.Script)
				})
			}
		})
	}
}

func TestMutantsAreTold(t *testing.T) {
	for _, e := range exercises {
		all, err := mutants.Load(filepath.Join(programs.Root(), "projects", e.Folder, "ref"))
		require.NoError(t, err)
		for _, m := range all {
			assert.True(t, strings.HasSuffix(m.Mistake, "."), "%s: %q is no sentence", m.Name, m.Mistake)
		}
	}
}
