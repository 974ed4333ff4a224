package p17rpcauth

import (
	"testing"

	"unpipc/projects/internal/measure/measuretest"
	"unpipc/projects/internal/programs"
)

func testRows(t *testing.T, built *programs.Built) {
	cfg := measuretest.Config(measuretest.Bin(t, built, "p17"))
	measuretest.Variants(t, rows(*cfg), cfg, 1, 300)
}
