package sysv

import "syscall"

// List is what stat finds at the indexes of the kernel's table of one kind of object, up
// to the highest that is used, which info tells.
func List[Info, Stat any](info func() (Info, int, error), stat func(index int) (Stat, syscall.Errno)) (all []Stat, err error) {
	_, highest, err := info()
	if err != nil {
		return nil, err
	}
	for i := range highest + 1 {
		// A hole in the table is EINVAL; one may be made while we read.
		if s, errno := stat(i); errno == 0 {
			all = append(all, s)
		}
	}
	return all, nil
}

// Clamp makes -1, which the kernel refuses, of a number of which it would see only some
// low bits.
func Clamp(n, most int) int {
	if n < 0 || n > most {
		return -1
	}
	return n
}
