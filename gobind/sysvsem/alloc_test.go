//go:build !race && !asan

package sysvsem_test

// The detectors allocate.

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNothingIsAllocatedForAnOperation(t *testing.T) {
	s := newSet(t, 1, 0)
	ctx := t.Context()
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		if s.DoContext(ctx, op(0, -1), op(1, 1)) != nil || s.Do(op(0, 1), op(1, -1)) != nil || s.DoFor(1, op(1, 0)) != nil {
			t.Fail()
		}
	}))
}
