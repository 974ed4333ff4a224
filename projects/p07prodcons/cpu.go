package p07prodcons

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// anyCPU leaves the choice to the kernel, which may choose again.
const anyCPU = -1

// currentCPU is the one that this thread is on. See getcpu(2).
func currentCPU() (int, error) {
	var cpu uint32
	_, _, e := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0)
	if e != 0 {
		return anyCPU, os.NewSyscallError("getcpu", e)
	}
	return int(cpu), nil
}

// keepToCPU keeps this thread, which must be the caller's own, on a CPU, unless it is anyCPU,
// under SCHED_BATCH: whoever it wakes there runs when it sleeps, not in its place. The Go
// runtime starts no thread from one that is a goroutine's own, so no other inherits it. See
// sched_setaffinity(2), sched(7).
func keepToCPU(cpu int) error {
	if cpu == anyCPU {
		return nil
	}
	var one unix.CPUSet
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("CPU %d: %w", cpu, os.NewSyscallError("sched_setaffinity", err))
	}
	var none struct{ priority int32 } // sched_setattr(2) would want the nice value too
	if _, _, e := unix.RawSyscall(unix.SYS_SCHED_SETSCHEDULER, 0, unix.SCHED_BATCH, uintptr(unsafe.Pointer(&none))); e != 0 {
		return fmt.Errorf("CPU %d: %w", cpu, os.NewSyscallError("sched_setscheduler", e))
	}
	return nil
}

// OneCPU says whether members are kept on one CPU. It is the value of --cpus=any|one.
type OneCPU bool

// String is its name on the command line.
func (o *OneCPU) String() string {
	if *o {
		return "one"
	}
	return "any"
}

// Set takes a name.
func (o *OneCPU) Set(name string) error {
	if name != "any" && name != "one" {
		return errors.New("it is neither any nor one")
	}
	*o = name == "one"
	return nil
}

// Type is how --help shows it.
func (o *OneCPU) Type() string { return "string" }
