package pthread

// Counted says whether it is known where a condition counts those that wait.
func Counted() bool { return waitersAt() != 0 }

// Libc is the same condition with libc's own functions for every call.
func (v *Cond) Libc() *Cond { return &Cond{object: v.object} }
