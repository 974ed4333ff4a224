package sunrpc

/*
#include "unp_sunrpc_client.h"
*/
import "C"

import (
	"context"
	"sync"
)

// interrupter ends a client's call when its context does. A context that comes again is
// watched from call to call: to begin that and to end it costs as much as all else that
// Go does for a call. Its methods are called by who has the turn.
type interrupter struct {
	last <-chan struct{} // Done of the context of the last call
	keep bool            // it has come again
	stop func() bool     // ends the watch of it; nil: it is not watched

	mu      sync.Mutex
	calling <-chan struct{} // Done of the context of the call in progress
}

// begin watches a context that can end. Who calls it must then look whether it has ended:
// that may have been too early for the watch.
func (i *interrupter) begin(ctx context.Context, fd int) {
	done := ctx.Done()
	if i.keep = done == i.last; !i.keep {
		i.forget()
		i.last = done
	}
	i.mu.Lock()
	i.calling = done
	i.mu.Unlock()
	if i.stop != nil {
		return
	}
	i.stop = context.AfterFunc(ctx, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.calling == done {
			C.unp_sunrpc_client_interrupt(C.int(fd))
		}
	})
}

// end is for the call to have ended: from now on it is not interrupted.
func (i *interrupter) end() {
	i.mu.Lock()
	i.calling = nil
	i.mu.Unlock()
	if !i.keep {
		i.forget()
	}
}

func (i *interrupter) forget() {
	if i.stop != nil {
		i.stop()
		i.stop = nil
	}
}
