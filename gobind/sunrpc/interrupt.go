package sunrpc

/*
#include "unp_sunrpc_client.h"
*/
import "C"

import (
	"context"
	"sync"
	"sync/atomic"
)

// interrupter ends a client's call when its context does. A context that comes again is
// watched from call to call: to begin that and to end it costs as much as all else that
// Go does for a call. Its methods are called by who has the turn.
type interrupter struct {
	last    <-chan struct{} // Done of the context of the last call
	keep    bool            // it has come again
	stop    func() bool     // ends the watch of it; nil: it is not watched
	watches uint64          // that there have been: the number of this one

	calling atomic.Uint64 // the watch over the call in progress; 0: none, or it is interrupted
	mu      sync.Mutex    // held while a call is interrupted
}

// begin watches a context that can end, by its Done. Who calls it must then look whether it
// has ended: that may have been too early for the watch.
func (i *interrupter) begin(ctx context.Context, done <-chan struct{}, fd int) {
	if i.keep = done == i.last; !i.keep {
		i.forget()
		i.last = done
	}
	if i.stop == nil {
		i.watch(ctx, fd)
	}
	i.calling.Store(i.watches)
}

func (i *interrupter) watch(ctx context.Context, fd int) {
	i.watches++
	watch := i.watches
	i.stop = context.AfterFunc(ctx, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.calling.CompareAndSwap(watch, 0) {
			C.unp_sunrpc_client_interrupt(C.int(fd))
		}
	})
}

// end is for the call to have ended, and says whether it was interrupted, which it is not
// from now on.
func (i *interrupter) end() (interrupted bool) {
	if !i.calling.CompareAndSwap(i.watches, 0) {
		i.mu.Lock()
		interrupted = true
		i.mu.Unlock()
	}
	if !i.keep {
		i.forget()
	}
	return interrupted
}

func (i *interrupter) forget() {
	if i.stop != nil {
		i.stop()
		i.stop = nil
	}
}
