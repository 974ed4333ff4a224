//go:build !race && !asan

package sysvmq_test

// The detectors allocate.

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"unpipc/gobind/sysvmq"
)

func TestNothingIsAllocatedForAMessage(t *testing.T) {
	q := newQueue(t)
	m := sysvmq.NewMessage(64)
	m.SetType(1)
	ctx := t.Context()
	buf := make([]byte, 64)
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		if q.SendMessage(ctx, m, 64, 0) != nil {
			t.Fail()
		}
		if _, err := q.ReceiveMessage(ctx, m, 0, 0); err != nil {
			t.Fail()
		}
		if q.Send(1, buf, 0) != nil {
			t.Fail()
		}
		if _, _, err := q.Receive(buf, 0, 0); err != nil {
			t.Fail()
		}
	}))
}
