package p05sysvmq

import (
	"context"
	"sync"
	"time"
)

// deadline makes contexts that end at a time which can be put off. A timer for each
// round trip would cost as much as the round trip, since Go's runtime wakes up a thread
// to watch it. This one is set again only when it has come too early.
type deadline struct {
	parent context.Context

	mu     sync.Mutex
	at     time.Time // when the context is to end
	fires  time.Time // when the timer comes, never after at
	timer  *time.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// until is a context that ends at a time, or with the parent, or when close is called.
// The one that was asked for before is the same, or has ended.
func (d *deadline) until(at time.Time) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = at
	if d.ctx == nil || d.ctx.Err() != nil {
		d.ctx, d.cancel = context.WithCancelCause(d.parent)
		d.fires = time.Time{}
	}
	switch {
	case d.timer == nil:
		d.timer = time.AfterFunc(time.Until(at), d.fire)
		d.fires = at
	case d.fires.IsZero() || at.Before(d.fires):
		d.timer.Reset(time.Until(at))
		d.fires = at
	}
	return d.ctx
}

func (d *deadline) fire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if left := time.Until(d.at); left > 0 {
		d.timer.Reset(left)
		d.fires = d.at
		return
	}
	d.cancel(context.DeadlineExceeded)
}

// close ends the last context and the timer.
func (d *deadline) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.cancel(context.Canceled)
	}
}
