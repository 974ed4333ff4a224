package measure

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// placed runs start on a thread that has the CPU and the scheduling policy meant
// for the program it starts: the program inherits them, with all its threads.
func placed(cfg *Config, place int, start func() error) (err error) {
	if len(cfg.Pin) == 0 && !cfg.RealTime {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if len(cfg.Pin) > 0 {
		var before, one unix.CPUSet
		if err := unix.SchedGetaffinity(0, &before); err != nil {
			return os.NewSyscallError("sched_getaffinity", err)
		}
		cpu := cfg.Pin[place%len(cfg.Pin)]
		one.Set(cpu)
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			return fmt.Errorf("CPU %d: %w", cpu, os.NewSyscallError("sched_setaffinity", err))
		}
		defer func() {
			err = errors.Join(err, os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinity(0, &before)))
		}()
	}
	if cfg.RealTime {
		before, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			return os.NewSyscallError("sched_getattr", err)
		}
		round := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}
		if err := unix.SchedSetAttr(0, &round, 0); err != nil {
			return fmt.Errorf("real-time scheduling: %w", os.NewSyscallError("sched_setattr", err))
		}
		defer func() {
			err = errors.Join(err, os.NewSyscallError("sched_setattr", unix.SchedSetAttr(0, before, 0)))
		}()
	}
	return start()
}

// Apart is cfg with the two processes of a run on a CPU each, unless it says where they
// are to be: on one CPU they would take turns, which measures something else, and left
// alone the kernel puts them there or not as it likes.
func (cfg *Config) Apart() *Config {
	if len(cfg.Pin) > 0 {
		return cfg
	}
	apart := *cfg
	apart.Pin = TwoCPUs()
	return &apart
}

// TwoCPUs are the first two CPUs that this process may use, for rows that depend
// on their processes running beside each other; nil where there is only one.
func TwoCPUs() []int {
	cpus := allowedCPUs()
	if len(cpus) < 2 {
		return nil
	}
	return cpus[:2]
}

// KeepToCPU keeps the calling thread to the nth of the CPUs that it may use, round and
// round where there are fewer: for those of several who are to run beside each other. See
// sched_setaffinity(2).
func KeepToCPU(nth int) error {
	cpus := allowedCPUs()
	if len(cpus) < 2 {
		return nil
	}
	var one unix.CPUSet
	one.Set(cpus[nth%len(cpus)])
	return os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinity(0, &one))
}

func allowedCPUs() []int {
	var allowed unix.CPUSet
	if unix.SchedGetaffinity(0, &allowed) != nil {
		return nil
	}
	var cpus []int
	for cpu := range 8 * int(unsafe.Sizeof(allowed)) {
		if allowed.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}
