package sysv

import "syscall"

// List is what stat finds at the indexes of the kernel's table of one kind of object, up
// to the highest that is used.
func List[Stat any](highest int, stat func(index int) (Stat, syscall.Errno)) (all []Stat) {
	for i := range highest + 1 {
		// A hole in the table is EINVAL; one may be made while we read.
		if s, errno := stat(i); errno == 0 {
			all = append(all, s)
		}
	}
	return all
}

// Clamp makes -1, which the kernel refuses, of a number of which it would see only some
// low bits.
func Clamp(n, most int) int {
	if n < 0 || n > most {
		return -1
	}
	return n
}
