//go:build !race && !asan

package posixmq_test

// The detectors allocate.

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNothingIsAllocatedForAMessage(t *testing.T) {
	q := newQueue(t, 1, 64, 0)
	ctx, buf := t.Context(), make([]byte, 64)
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		if q.Send(buf, 0) != nil {
			t.Fail()
		}
		if _, _, err := q.Receive(buf); err != nil {
			t.Fail()
		}
		if q.SendContext(ctx, buf, 0) != nil {
			t.Fail()
		}
		if _, _, err := q.ReceiveContext(ctx, buf); err != nil {
			t.Fail()
		}
	}))
}
