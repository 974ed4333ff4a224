package pthread

// Counted says whether it is known where a condition counts those that wait.
func Counted() bool { return waitersAt() != 0 }

// WaitsDirect says whether a wait is made of the words of a condition.
func WaitsDirect() bool { return waitsDirect() }

// Libc is the same condition with libc's own functions for every call.
func (v *Cond) Libc() *Cond { return &Cond{object: v.object, yields: -1} }

// Handle is another handle of the same condition.
func (v *Cond) Handle() *Cond {
	copied := *v
	return &copied
}
