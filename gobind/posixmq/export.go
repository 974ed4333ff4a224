package posixmq

/*
#include <stdint.h>
*/
import "C"

//export unpMqNotified
func unpMqNotified(cookie C.uintptr_t) {
	// A registration may end while it fires: then there is nothing to call.
	if f, ok := registrations.take(uintptr(cookie)); ok {
		f()
	}
}
